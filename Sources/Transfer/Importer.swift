import Interchange
package import Store
package import Vocabulary

/// Brings files into a store. What was read and what came of it are durable together, so that
/// after an interruption, however it came, the same call goes on where it was.
package final class Importer {
    package enum Format: String, CaseIterable, Sendable {
        case ndjson, openmetrics, prometheus
    }

    /// How far it is, and at last what it did.
    package struct Progress: Hashable, Sendable {
        /// Of the file.
        package var bytes: Int64
        package let size: Int64
        package var lines: Int64
        /// Lines that an earlier call had read.
        package let resumed: Int64
    }

    private let store: StoreImporter
    private let policy: Disclosure
    private let batch: Int64
    private let block: Int
    /// Told at every block that was read; throws to stop there.
    private let progress: (Progress) throws(TransferError) -> Void

    /// - Parameters:
    ///   - policy: what of clear personal values may be kept.
    ///   - batch: lines in a transaction; they wait in memory.
    ///   - block: bytes that are read at once.
    package init(
        into store: StoreImporter, policy: Disclosure, batch: Int64 = 200_000, block: Int = 1 << 20,
        progress: @escaping (Progress) throws(TransferError) -> Void = { _ in }
    ) {
        self.store = store
        self.policy = policy
        self.batch = max(1, batch)
        self.block = max(1, block)
        self.progress = progress
    }

    /// - Parameter format: nil: NDJSON if the file begins with `{`, else OpenMetrics.
    package func take(path: String, as format: Format?) throws(TransferError) -> Progress {
        let file = try ImportFile(path)
        let start = try file.read(1, at: 0)
        let format = format ?? (start.first == UInt8(ascii: "{") ? .ndjson : .openmetrics)
        var reading = Reading(try state(of: file), file, format)
        if format == .openmetrics {
            reading.hasEnded = try endsWithEOF(file, reading.state.bytes)
        }
        try read(&reading)
        if format == .openmetrics, !reading.hasEnded {
            throw .line(
                path: path, line: reading.state.lines,
                reason: "the file ends without # EOF; get all of it and import it again")
        }
        try finish(&reading)
        return reading.progress
    }

    private struct Reading {
        var state: ImportState
        let file: ImportFile
        let format: Format
        var fingerprint = Fingerprint()
        var inBatch: Int64 = 0
        /// `# EOF` was read.
        var hasEnded = false
        private let resumed: Int64

        var progress: Progress {
            Progress(bytes: state.bytes, size: file.size, lines: state.lines, resumed: resumed)
        }

        init(_ known: (ImportState, Fingerprint), _ file: ImportFile, _ format: Format) {
            (state, fingerprint) = known
            resumed = known.0.lines
            self.file = file
            self.format = format
        }
    }

    // MARK: Where it was

    /// What is known of this file: some file was read up to a place, and this one is the same up to
    /// there.
    private func state(of file: ImportFile) throws(TransferError) -> (ImportState, Fingerprint) {
        let head = ImportState.headBytes
        let states = try storing { () throws(ImportError) in try self.store.states() }
            .filter { $0.bytes <= file.size && $0.bytes > 0 }.sorted { $0.bytes < $1.bytes }
        var alike: [ImportState] = []
        for state in states {
            let start = try file.fingerprints(at: [min(head, state.bytes)])
            if start.last?.value == state.head { alike.append(state) }
        }
        let found = try file.fingerprints(at: alike.map(\.bytes))
        for (state, fingerprint) in zip(alike, found).reversed()
        where fingerprint.value == state.fingerprint {
            return (state, fingerprint)
        }
        let name = file.path.split(separator: "/").last.map { String($0) } ?? file.path
        let state = try storing { () throws(ImportError) in try self.store.makeState(name: name) }
        return (state, Fingerprint())
    }

    private func endsWithEOF(_ file: ImportFile, _ bytes: Int64) throws(TransferError) -> Bool {
        guard bytes > 0 else { return false }
        let start = max(0, bytes - 7)
        let end = try file.read(Int(bytes - start), at: start)
        return end[...].withoutLineEnd.suffix(5).elementsEqual("# EOF".utf8)
    }

    // MARK: Lines

    private func read(_ reading: inout Reading) throws(TransferError) {
        var lines = Lines()
        var offset = reading.state.bytes
        try begin(reading)
        while true {
            let bytes = try reading.file.read(block, at: offset)
            if bytes.isEmpty { break }
            offset += Int64(bytes.count)
            lines.add(bytes[...])
            while let line = try next(of: &lines, reading) { try take(line, &reading) }
            try progress(reading.progress)
        }
        let last = lines.finish()
        if !last.isEmpty { try take(last, &reading) }
        try commit(&reading)
        try progress(reading.progress)
    }

    private func next(
        of lines: inout Lines, _ reading: Reading
    ) throws(TransferError) -> ArraySlice<UInt8>? {
        do throws(Lines.TooLong) { return try lines.next() } catch {
            throw try refusal("longer than \(Lines.limit) bytes", reading)
        }
    }

    private func take(
        _ line: ArraySlice<UInt8>, _ reading: inout Reading
    ) throws(TransferError) {
        do throws(ImportError) {
            try takeContent(line.withoutLineEnd, &reading)
        } catch {
            switch error {
            case .store(let error): throw .store(error)
            case .refused(let reason): throw try refusal(reason, reading)
            }
        }
        reading.state.bytes += Int64(line.count)
        reading.state.lines += 1
        reading.fingerprint.add(line)
        reading.inBatch += 1
        if reading.inBatch >= batch {
            try commit(&reading)
            try begin(reading)
        }
    }

    private func takeContent(
        _ line: ArraySlice<UInt8>, _ reading: inout Reading
    ) throws(ImportError) {
        guard reading.format == .ndjson else {
            return try take(
                try parsing { () throws(FormatError) in
                    try OpenMetricsLine(
                        parsing: line,
                        times: reading.format == .prometheus ? .milliseconds : .seconds)
                }, &reading)
        }
        guard !line.isEmpty else { return }
        let object = try parsing { () throws(FormatError) in try FlatObject(parsing: line) }
        try ImportedRecord(object).take(into: store, under: policy)
    }

    private func take(
        _ line: OpenMetricsLine, _ reading: inout Reading
    ) throws(ImportError) {
        guard !reading.hasEnded || line == .other else {
            throw .refused("a line after # EOF; one file for each import")
        }
        switch line {
        case .sample(let sample): try store.stage(sample)
        case .type(let family, let type): try store.take(family: family, type: type)
        case .end: reading.hasEnded = true
        case .other: break
        }
    }

    private func parsing<Result>(
        _ body: () throws(FormatError) -> Result
    ) throws(ImportError) -> Result {
        do throws(FormatError) { return try body() } catch { throw .refused(error.description) }
    }

    /// Keeps what was read before the line that can't be taken.
    private func refusal(
        _ reason: String, _ reading: Reading
    ) throws(TransferError) -> TransferError {
        var reading = reading
        try commit(&reading)
        return .line(
            path: reading.file.path, line: reading.state.lines + 1, reason: reason)
    }

    // MARK: Batches

    private func begin(_ reading: Reading) throws(TransferError) {
        try storing { () throws(ImportError) in try self.store.beginBatch(of: reading.state) }
    }

    private func commit(_ reading: inout Reading) throws(TransferError) {
        reading.inBatch = 0
        reading.state.fingerprint = reading.fingerprint.value
        let head = try reading.file.fingerprints(
            at: [min(ImportState.headBytes, reading.state.bytes)])
        reading.state.head = head.last?.value ?? 0
        let state = reading.state
        try storing { () throws(ImportError) in try self.store.commit(state) }
    }

    /// Groups what was staged, and notes that nothing is left to do.
    private func finish(_ reading: inout Reading) throws(TransferError) {
        var isOver = false
        while !isOver {
            try begin(reading)
            isOver = try storing { () throws(ImportError) in
                try !self.store.group(atMost: Int(clamping: self.batch))
            }
            reading.state.isFinished = isOver
            try commit(&reading)
        }
    }

    private func storing<Result>(
        _ body: () throws(ImportError) -> Result
    ) throws(TransferError) -> Result {
        do throws(ImportError) { return try body() } catch {
            switch error {
            case .store(let error): throw .store(error)
            case .refused(let reason):
                throw .store(.inaccessible(path: store.path, reason: reason))
            }
        }
    }
}
