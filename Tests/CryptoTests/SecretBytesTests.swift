import Crypto
import Testing

@Suite("Secrets")
struct SecretBytesTests {
    @Test("copies, cuts and compares")
    func copies() {
        let secret = SecretBytes(copying: [1, 2, 3, 4, 5])
        #expect(secret.count == 5)
        #expect(secret.slice(1..<3).revealed() == [2, 3])
        #expect(secret.slice(5..<5).count == 0)
        #expect(secret.duplicate().revealed() == [1, 2, 3, 4, 5])
        let filled = SecretBytes(count: 2) { bytes in bytes[1] = 9 }
        #expect(filled.revealed() == [0, 9])
    }

    @Test(
        "matches equal bytes only",
        arguments: [
            ([UInt8](), [UInt8](), true), ([1, 2, 3], [1, 2, 3], true),
            ([1, 2, 3], [1, 2], false),
            ([1, 2], [1, 2, 3], false), ([1, 2, 3], [1, 2, 2], false), ([0], [], false),
            ([0x80, 2, 3], [0, 2, 3], false),
        ])
    func matches(_ left: [UInt8], _ right: [UInt8], _ equal: Bool) {
        #expect(SecretBytes(copying: left).matches(right) == equal)
        #expect(SecretBytes(copying: left).matches(SecretBytes(copying: right)) == equal)
    }

    @Test("shows nothing to print, dump and mirrors")
    func showsNothing() {
        let secret = SharedSecret(SecretBytes(copying: Array("correct horse".utf8)))
        var dumped = ""
        dump([secret], to: &dumped)
        let shown = "\(secret) \(String(reflecting: secret)) \([secret]) \(dumped)"
        #expect(shown.contains("‹secret›"))
        #expect(!shown.contains("horse"))
        #expect(!shown.contains("99"))  // "c" in decimal
        #expect(!shown.contains("storage"))
        #expect(Mirror(reflecting: secret).children.isEmpty)
        #expect(secret.bytes.count == 13)
    }

    @Test("wipes its memory when it ends")
    func wipes() {
        let address = ended { SecretBytes(copying: [UInt8](repeating: 0x5a, count: 4096)) }
        #expect(!holdsPattern(address))
    }

    @Test("wipes its memory when filling it fails")
    func wipesAfterFailure() {
        struct Failure: Error {}
        var address: UInt = 0
        #expect(throws: Failure.self) {
            _ = try SecretBytes(count: 4096) { bytes throws(Failure) in
                for index in bytes.indices { bytes[index] = 0x5a }
                bytes.withUnsafeMutableBufferPointer { address = UInt(bitPattern: $0.baseAddress) }
                throw Failure()
            }
        }
        #expect(address != 0)
        #expect(!holdsPattern(address))
    }

    private func ended(_ make: () -> SecretBytes) -> UInt {
        let secret = make()
        return secret.withBytes { bytes in
            bytes.withUnsafeBufferPointer { UInt(bitPattern: $0.baseAddress) }
        }
    }

    /// Looks at freed memory, on purpose: the allocator keeps it mapped, and whoever has it now
    /// writes no such pattern.
    private func holdsPattern(_ address: UInt) -> Bool {
        let bytes = UnsafeRawBufferPointer(
            start: UnsafeRawPointer(bitPattern: address), count: 4096)
        var run = 0
        for byte in bytes {
            run = byte == 0x5a ? run + 1 : 0
            if run == 8 { return true }
        }
        return false
    }
}
