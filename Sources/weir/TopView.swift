import Clocks
import Gateway
import Presentation
import Vocabulary

/// What `weir top` knows and how the person wants to see it. Knows nothing of terminals.
struct TopView {
    private(set) var isFiltering = false
    private(set) var isPaused = false
    private var filter = ""
    private var sortColumn = 0
    private var isDescending = true
    private var scroll = 0
    private var last: (at: Instant, traffic: Traffic, sessions: [String: Traffic])?
    private var status: ControlReply.Status?
    private var sessions: [Session] = []
    private var rates: (receive: Double, transmit: Double)?
    private var history: [Double?] = []
    private var problem: String?

    private struct Session {
        let facts: ControlReply.Session
        /// Bits per second; nil at the first look.
        let receive: Double?
        let transmit: Double?
    }

    private static let columns: [Column] = [
        Column("receive", .bitsPerSecond), Column("transmit", .bitsPerSecond),
        Column("identity", .text), Column("connection", .text), Column("address", .text),
        Column("source", .text), Column("bytes_in", .bytes), Column("bytes_out", .bytes),
        Column("since", .text),
    ]

    /// Takes a look at the gateway.
    mutating func take(
        _ status: ControlReply.Status, _ sessions: [ControlReply.Session], at now: Instant
    ) {
        let traffic = Traffic(
            bytesIn: status.bytesIn, packetsIn: status.packetsIn, bytesOut: status.bytesOut,
            packetsOut: status.packetsOut)
        let before = last
        let span = before.map { max((now - $0.at).seconds, 0.001) } ?? 1
        rates = before.map {
            (
                rate(traffic.bytesIn, $0.traffic.bytesIn, span),
                rate(traffic.bytesOut, $0.traffic.bytesOut, span)
            )
        }
        history.append(rates.map { $0.receive + $0.transmit })
        if history.count > 200 { history.removeFirst() }
        self.sessions = sessions.map { session in
            let old = before?.sessions[session.session]
            return Session(
                facts: session,
                receive: old.map { rate(session.bytesIn, $0.bytesIn, span) },
                transmit: old.map { rate(session.bytesOut, $0.bytesOut, span) })
        }
        let counters = sessions.map {
            ($0.session, Traffic(bytesIn: $0.bytesIn, bytesOut: $0.bytesOut))
        }
        last = (now, traffic, Dictionary(counters) { $1 })
        self.status = status
        problem = nil
    }

    /// The gateway did not answer: what is shown is old.
    mutating func fail(_ message: String) { problem = message }

    /// - Returns: false if the person wants an end.
    mutating func press(_ keys: [UInt8], height: Int) -> Bool {
        var rest = keys[...]
        while let key = rest.popFirst() {
            // A sequence begins with [ or O and ends with a letter or ~ (ECMA-48 §5.4).
            if key == 0x1b, let kind = rest.first,
                [UInt8(ascii: "["), UInt8(ascii: "O")].contains(kind)
            {
                let end = rest.dropFirst().firstIndex { (0x40...0x7e).contains($0) }
                move(rest[...(end ?? rest.endIndex - 1)], height: height)
                rest = end.map { rest[($0 + 1)...] } ?? []
            } else if isFiltering {
                edit(key)
            } else if !command(Character(Unicode.Scalar(key))) {
                return false
            }
        }
        return true
    }

    private mutating func command(_ key: Character) -> Bool {
        switch key {
        case "q": return false
        case "<", ",": sort(by: sortColumn - 1)
        case ">", ".": sort(by: sortColumn + 1)
        case "r": isDescending.toggle()
        case "/": isFiltering = true
        case "p", " ": isPaused.toggle()
        case "k": scroll = max(0, scroll - 1)
        case "j": scroll += 1
        default: break
        }
        return true
    }

    private mutating func edit(_ key: UInt8) {
        switch key {
        case 0x0a, 0x0d: isFiltering = false
        case 0x1b:
            isFiltering = false
            filter = ""
        case 0x7f, 0x08: _ = filter.popLast()
        case 0x20..<0x7f where filter.utf8.count < 64:
            filter.unicodeScalars.append(Unicode.Scalar(key))
        default: break
        }
        scroll = 0
    }

    /// Arrows and page keys, as terminals send them.
    private mutating func move(_ sequence: ArraySlice<UInt8>, height: Int) {
        let page = max(1, height - 8)
        switch String(decoding: sequence, as: UTF8.self) {
        case "[A", "OA": scroll = max(0, scroll - 1)
        case "[B", "OB": scroll += 1
        case "[C", "OC": sort(by: sortColumn + 1)
        case "[D", "OD": sort(by: sortColumn - 1)
        case "[5~": scroll = max(0, scroll - page)
        case "[6~": scroll += page
        default: break
        }
    }

    private mutating func sort(by column: Int) {
        sortColumn = (column + Self.columns.count) % Self.columns.count
        isDescending = Self.columns[sortColumn].kind != .text
    }

    /// The screen, of at most `height` lines of at most `width` characters.
    mutating func lines(width: Int, height: Int) -> [String] {
        var lines = head(width)
        var table = table()
        let count = table.rows.count
        let room = max(0, height - lines.count - 2)
        scroll = min(scroll, max(0, count - room))
        table.rows = Array(table.rows.dropFirst(scroll).prefix(room))
        let text = render(fitting(table, in: width), as: .table, width: width)
        lines += text.split(separator: "\n").prefix(room + 1).map(String.init)
        lines = Array(lines.prefix(max(1, height - 1)))
        lines.append(foot(shown: count))
        return lines.prefix(height).map { String($0.prefix(width)) }
    }

    /// Without columns for which there is no room, the least asked for first. A name that is cut
    /// tells nobody apart.
    private func fitting(_ table: Table, in width: Int) -> Table {
        var table = table
        let order = Self.columns[sortColumn].name
        for name in ["since", "source", "connection", "address"] where name != order {
            let longest = render(table, as: .table).split(separator: "\n").map(\.count).max() ?? 0
            guard longest > width, let place = table.columns.firstIndex(where: { $0.name == name })
            else { return table }
            table.columns.remove(at: place)
            for row in table.rows.indices { table.rows[row].remove(at: place) }
        }
        return table
    }

    /// For a pipe: everything, once.
    func plain() -> String {
        (head(nil) + [render(table(), as: .table)]).joined(separator: "\n")
    }

    private func head(_ width: Int?) -> [String] {
        guard let status else { return [problem ?? "no answer yet"] }
        let speed = rates.map {
            "\(human(.real($0.receive), .bitsPerSecond)) in, "
                + "\(human(.real($0.transmit), .bitsPerSecond)) out"
        }
        var lines = [
            "sessions \(status.sessions)  half-open \(status.halfOpen)  "
                + "child SAs \(status.childSAs)  \(speed ?? "no rate yet")"
        ]
        if let width { lines.append(sparkline(Array(history.suffix(max(1, width))))) }
        if !status.innerUp { lines.append("PROBLEM: the inner network is down") }
        if let drain = status.drain {
            lines.append("draining: \(drain.left) of \(drain.sessions) sessions are left")
        }
        if let problem { lines.append("OLD: \(problem)") }
        return lines + [""]
    }

    private func foot(shown: Int) -> String {
        if isFiltering { return "filter: \(filter)_" }
        let order = "\(isDescending ? "▼" : "▲") \(Self.columns[sortColumn].name)"
        let narrowed = filter.isEmpty ? "" : "  filter \(filter) (\(shown) of \(sessions.count))"
        let paused = isPaused ? "  PAUSED" : ""
        return
            "\(order)\(narrowed)\(paused)   q quit  ←→ sort  r reverse  / filter  ↑↓ scroll  p pause"
    }

    private func table() -> Table {
        func text(_ value: String?) -> Datum { value.map { .text($0) } ?? .null }
        func real(_ value: Double?) -> Datum { value.map { .real($0) } ?? .null }
        var rows: [[Datum]] = sessions.map { session in
            let facts = session.facts
            return [
                real(session.receive), real(session.transmit), text(facts.identity),
                .text(facts.connection), text(facts.virtualAddress), text(facts.source),
                .integer(Int64(clamping: facts.bytesIn)), .integer(Int64(clamping: facts.bytesOut)),
                .text(String(facts.established.prefix(19)) + "Z"),
            ]
        }
        if !filter.isEmpty {
            let wanted = filter.lowercased()
            rows = rows.filter { row in
                row.contains {
                    if case .text(let text) = $0 {
                        text.lowercased().contains(wanted)
                    } else {
                        false
                    }
                }
            }
        }
        let place = sortColumn
        rows.sort { left, right in
            let (first, second) = isDescending ? (right, left) : (left, right)
            return isLess(first[place], second[place])
        }
        return Table(columns: Self.columns, rows: rows)
    }
}

private func rate(_ now: UInt64, _ before: UInt64, _ seconds: Double) -> Double {
    now > before ? Double(now - before) * 8 / seconds : 0
}

/// Nothing before something.
private func isLess(_ left: Datum, _ right: Datum) -> Bool {
    switch (left, right) {
    case (.null, .null): false
    case (.null, _): true
    case (.real(let left), .real(let right)): left < right
    case (.integer(let left), .integer(let right)): left < right
    case (.text(let left), .text(let right)): left < right
    default: false
    }
}
