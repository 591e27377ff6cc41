import Foundation
import Glibc
import SQLite
import Store
import Testing
import Vocabulary

/// A folder that is gone when the test is over.
final class Folder {
    let path: String

    init() throws {
        var name = Array("/tmp/weir-store-XXXXXX".utf8CString)
        path = try #require(mkdtemp(&name).map { String(cString: $0) })
    }

    deinit {
        for name in ["s.db", "s.db-wal", "s.db-shm", "s.db.lock", "t.db", "t.db.lock", "link.db"] {
            unlink(path + "/" + name)
        }
        rmdir(path)
    }

    var file: String { path + "/s.db" }

    func open(
        at second: Int64 = 0, retention: Retention = Retention(),
        logLimit: UInt64 = Store.standardLogLimit
    ) throws -> Store {
        try Store(
            path: file, version: "0.1.0", at: .seconds(second), bootID: "boot",
            retention: retention, logLimit: logLimit)
    }

    /// A folder with what this one's files would be if the writer were killed now.
    func afterCrash() throws -> Folder {
        let folder = try Folder()
        for suffix in ["", "-wal"] {
            try FileManager.default.copyItem(atPath: file + suffix, toPath: folder.file + suffix)
        }
        return folder
    }

    func read() throws -> StoreReader { try StoreReader(path: file) }
}

/// Stands in for the keyed one: a test needs to see what was meant.
struct PlainPseudonyms: Pseudonymiser {
    func pseudonym(of canonicalBytes: [UInt8], for purpose: Purpose) -> String {
        "\(purpose.rawValue):\(hex(canonicalBytes))"
    }
}

let policy = Disclosure(pseudonymiser: PlainPseudonyms())

extension Timestamp {
    /// After 2026-11-18T11:06:40Z.
    static func seconds(_ second: Int64) -> Timestamp {
        Timestamp(nanoseconds: (1_795_000_000 + second) * 1_000_000_000)
    }
}

extension RecordedEvent {
    init(_ event: some Event, at second: Int64) {
        self.init(
            at: .seconds(second), instant: Instant(nanoseconds: UInt64(second) * 1_000_000_000),
            event: event.disclosed(under: policy))
    }
}

extension RecordedTick {
    init(_ tick: Tick, at second: Int64) {
        self.init(
            at: .seconds(second), instant: Instant(nanoseconds: UInt64(second) * 1_000_000_000),
            tick: tick)
    }

    init(at second: Int64, children: [ChildSample] = [], pools: [PoolState] = []) {
        var tick = Tick()
        tick.children = children
        tick.pools = pools
        tick.childSAs = UInt64(children.count)
        self.init(tick, at: second)
    }
}

extension SessionID {
    static func number(_ number: UInt64) -> SessionID {
        SessionID(milliseconds: 1_795_000_000_000 + number, random: [])
    }
}

extension Traffic {
    /// Four different numbers, so that swapped columns are seen.
    init(_ number: UInt64) {
        self.init(
            bytesIn: number * 100, packetsIn: number, bytesOut: number * 1_000,
            packetsOut: number * 2)
    }
}

/// Events of session `number`, short enough to write histories with.
func established(_ number: UInt64) -> SessionEstablished {
    var event = SessionEstablished.example
    event.session = Public(.number(number))
    return event
}

func closed(
    _ number: UInt64, _ reason: SessionEnd = .deletedByPeer, _ total: UInt64 = 0,
    uncertaintyMilliseconds: UInt64 = 0
) -> SessionClosed {
    SessionClosed(
        session: .number(number), reason: reason, durationMilliseconds: 1, total: Traffic(total),
        uncertaintyMilliseconds: uncertaintyMilliseconds)
}

func installed(_ number: UInt64, child: UInt64) -> ChildSAInstalled {
    ChildSAInstalled(
        session: .number(number), child: ChildID(child), inboundSPI: ESPSPI(1),
        outboundSPI: ESPSPI(2), suite: "aes128gcm16", lifetimeMilliseconds: 1)
}

func childClosed(_ number: UInt64, child: UInt64, _ total: UInt64) -> ChildSAClosed {
    ChildSAClosed(
        session: .number(number), child: ChildID(child), reason: .rekeyed, total: Traffic(total))
}

func sample(_ number: UInt64, child: UInt64, _ total: UInt64) -> ChildSample {
    ChildSample(session: .number(number), child: ChildID(child), traffic: Traffic(total))
}

func granted(
    _ number: UInt64, _ address: UInt32 = 0x0a58_0001, pool: String = "staff"
) -> LeaseGranted {
    LeaseGranted(
        session: .number(number), pool: pool, identity: Identity("alice@example.org"),
        address: VirtualAddress(.v4(address)))
}

func released(_ number: UInt64, uncertaintyMilliseconds: UInt64 = 0) -> LeaseReleased {
    LeaseReleased(
        session: .number(number), pool: "staff", uncertaintyMilliseconds: uncertaintyMilliseconds)
}
