import CFaultyFiles
import Foundation
import TestFiles
import Testing

@testable import Store

/// What goes wrong with the files of one folder.
final class FaultPlan {
    struct Fault: Sendable, CustomStringConvertible {
        let name: String
        let operations: faulty_operations
        /// SQLite's result code.
        let code: Int32
        var kind = FAULTY_ERROR
        var description: String { name }
    }

    static let writes = Fault(name: "writes", operations: FAULTY_WRITES, code: 778)
    static let shortWrites = Fault(
        name: "short writes", operations: FAULTY_WRITES, code: 13, kind: FAULTY_SHORT)
    static let syncs = Fault(name: "syncs", operations: FAULTY_SYNCS, code: 1_034)
    static let truncations = Fault(
        name: "truncations", operations: FAULTY_TRUNCATIONS, code: 1_546)
    static let reads = Fault(name: "reads", operations: FAULTY_READS, code: 266)
    static let full = Fault(name: "full", operations: FAULTY_WRITES, code: 13)
    static let readOnly = Fault(name: "read-only", operations: FAULTY_WRITES, code: 8)
    static let powerAtWrite = Fault(
        name: "power at a write", operations: FAULTY_WRITES, code: 778, kind: FAULTY_POWER_LOSS)
    static let powerAtSync = Fault(
        name: "power at a sync", operations: FAULTY_SYNCS, code: 1_034, kind: FAULTY_POWER_LOSS)

    private var plan: OpaquePointer?

    /// - Parameter numbers: of the operations that fail, counted from 1.
    init(_ fault: Fault, _ numbers: ClosedRange<Int>, in folder: Folder, seed: UInt64 = 0) throws {
        let begun: OpaquePointer? = faulty_begin(
            folder.path, Int32(fault.operations.rawValue), numbers.lowerBound, numbers.upperBound,
            fault.code, fault.kind, seed)
        plan = begun
        #expect(begun != nil)
    }

    deinit { end() }

    /// Operations so far.
    var count: Int { plan.map { faulty_count($0) } ?? 0 }

    func end() {
        if let plan { faulty_end(plan) }
        plan = nil
    }
}

extension Folder {
    /// With a store in it that was made before, which is quicker than making one.
    static func withStore() throws -> Folder {
        let folder = try Folder()
        try FileManager.default.copyItem(atPath: Template.shared.folder.file, toPath: folder.file)
        return folder
    }

    private final class Template: @unchecked Sendable {
        static let shared = Template()
        let folder: Folder

        private init() {
            do {
                folder = try Folder()
                try folder.open().close()
            } catch { fatalError("\(error)") }
        }
    }
}
