import Testing
import Vocabulary

@testable import Engine

@Suite("A pool")
struct PoolTests {
    private func block() throws -> LendingBlock {
        LendingBlock(
            try #require(
                AddressBlock(
                    first: .v6(high: 0xfd88 << 48, low: 1),
                    last: .v6(high: 0xfd88 << 48, low: .max))))
    }

    @Test("of any size remembers so many users and addresses only")
    func bounded() throws {
        var block = try block()
        var refused = 0
        for index in 0..<(3 * LendingBlock.remembered) {
            if let address = block.lend(to: Array("u\(index)".utf8)) {
                block.giveBack(address)
            } else {
                refused += 1
            }
        }
        #expect(refused == 0 && block.lent == 0)
        #expect(block.held <= 2 * LendingBlock.remembered)
    }

    @Test("lends each address to one user, when many were given back, too")
    func distinct() throws {
        var block = try block()
        let users = (0..<(LendingBlock.remembered + 100)).map { Array("u\($0)".utf8) }
        for address in users.compactMap({ block.lend(to: $0) }) { block.giveBack(address) }
        let addresses = users.compactMap { block.lend(to: $0) }
        #expect(addresses.count == users.count && Set(addresses).count == users.count)
        #expect(block.lent == UInt64(users.count))
    }
}
