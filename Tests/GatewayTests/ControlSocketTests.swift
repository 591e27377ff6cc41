import CLinux
import Clocks
import Engine
import Foundation
import Glibc
import Synchronization
import Testing
import Vocabulary

@testable import Gateway

struct Marker: Pseudonymiser {
    func pseudonym(of canonicalBytes: [UInt8], for purpose: Purpose) -> String {
        "\(purpose.rawValue):x"
    }
}

/// A control socket in a folder of its own, whose gateway is a closure.
final class ControlBed {
    let folder: String
    let path: String
    let socket: ControlSocket
    let questions = Asked()

    final class Asked: Sendable { let list = Mutex<[Gateway.Question]>([]) }

    init(_ disclosure: Disclosure? = nil, idleLimit: Duration = .seconds(5)) throws {
        folder = FileManager.default.temporaryDirectory.path + "/weir-\(UUID().uuidString)"
        path = folder + "/control.sock"
        let questions = questions
        socket = try ControlSocket(
            path: path, disclosure: disclosure ?? Disclosure(pseudonymiser: Marker()),
            idleLimit: idleLimit
        ) { question in
            questions.list.withLock { $0.append(question) }
            switch question {
            case .sessions: return .sessions([.example])
            case .terminate(let session): return .terminated(session == .example)
            case .drain(let order):
                return .drain(
                    DrainProgress(
                        sessions: 9, left: 7, remaining: order.deadline ?? .zero,
                        targets: order.targets ?? []))
            case .firstSessions, .sessionNames, .sessionsOf, .status, .adopt, .cancelDrain:
                return nil
            }
        }
    }

    deinit {
        socket.stop()
        try? FileManager.default.removeItem(atPath: folder)
    }

    /// Sends bytes as they are, ends its own direction if asked, and reads to the end.
    func talk(_ bytes: [UInt8], halfClose: Bool = true) -> String {
        let descriptor = clinux_unix_connect(path, 5000)
        defer { close(descriptor) }
        _ = send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
        if halfClose { shutdown(descriptor, Int32(SHUT_WR)) }
        var answer: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while case let count = recv(descriptor, &buffer, buffer.count, 0), count > 0 {
            answer += buffer.prefix(count)
        }
        return String(decoding: answer, as: UTF8.self)
    }
}

@Suite("Control socket")
struct ControlSocketTests {
    @Test("personal values are disclosed under the policy")
    func sessions() throws {
        let bed = try ControlBed()
        let reply = try ControlClient.request(ControlRequest(.sessions), path: bed.path)
        let session = try #require(reply.sessions?.first)
        #expect(session.session == SessionID.example.description)
        #expect(session.identity == "id:x")
        #expect(session.source == "addr:x")
        #expect(session.virtualAddress == "vip:x")
        #expect(session.packetsOut == 4)

        let open = try ControlBed(
            Disclosure(
                identities: .clear, addresses: .prefix, virtualAddresses: .omit,
                pseudonymiser: Marker()))
        let clear = try #require(
            try ControlClient.request(ControlRequest(.sessions), path: open.path).sessions?.first)
        #expect(clear.identity == "alice@example.org")
        #expect(clear.source == "192.0.2.0/24")
        #expect(clear.virtualAddress == nil)
    }

    @Test("the JSON is one line with the names of the columns")
    func golden() throws {
        let bed = try ControlBed()
        let line = bed.talk(Array("{\"command\":\"sessions\"}\n".utf8))
        let pattern = #/"established":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"/#
        #expect(
            line.replacing(pattern, with: "\"established\":TIME")
                == "{\"sessions\":[{\"bytes_in\":1,\"bytes_out\":3,\"connection\":\"staff\","
                + "\"esp_suite\":\"aes128gcm16\",\"established\":TIME,\"identity\":\"id:x\","
                + "\"ike_suite\":\"aes128gcm16-prfsha256-x25519\",\"packets_in\":2,"
                + "\"packets_out\":4,\"session\":\"\(SessionID.example)\","
                + "\"source\":\"addr:x\",\"virtual_address\":\"vip:x\"}]}\n")
    }

    @Test("terminate names a session, and says when there is none")
    func terminate() throws {
        let bed = try ControlBed()
        let request = { ControlRequest(.terminate, session: $0) }
        let reply = try ControlClient.request(
            request(SessionID.example.description), path: bed.path)
        #expect(reply.terminated == true)
        let asked = bed.questions.list.withLock { $0 }
        guard asked.count == 1, case .terminate(.example) = asked[0] else {
            Issue.record("asked for \(asked)")
            return
        }
        #expect(throws: ControlError.refused("no such session; `weir sessions` lists them")) {
            try ControlClient.request(
                request("00000000-0000-7000-8000-000000000000"), path: bed.path)
        }
        for wrong in [nil, "", "alice", "\u{1b}[31m"] {
            #expect(
                throws: ControlError.refused(
                    "terminate needs a session's id; `weir sessions` lists them")
            ) { try ControlClient.request(request(wrong), path: bed.path) }
        }
        #expect(bed.questions.list.withLock { $0.count } == 2)
    }

    @Test("a drain goes to addresses and domain names, and not to anything else")
    func drain() throws {
        let bed = try ControlBed()
        let reply = try ControlClient.request(
            ControlRequest(.drain, deadline: 90, to: ["gw2.example.org", "192.0.2.3"]),
            path: bed.path)
        let progress = try #require(reply.drain)
        #expect(progress.sessions == 9 && progress.left == 7 && progress.remaining == 90)
        #expect(progress.to == ["gw2.example.org", "192.0.2.3"])
        for wrong in [["x y"], [""], Array(repeating: "gw2.example.org", count: 17)] {
            #expect(
                throws: ControlError.refused("a drain goes to up to 16 addresses or domain names")
            ) {
                try ControlClient.request(ControlRequest(.drain, to: wrong), path: bed.path)
            }
        }
        #expect(bed.questions.list.withLock { $0.count } == 1)
    }

    @Test("a gateway that does not answer is told of")
    func noAnswer() throws {
        let bed = try ControlBed()
        #expect(
            throws: ControlError.refused("the gateway does not answer; is it stopping?")
        ) { try ControlClient.request(ControlRequest(.status), path: bed.path) }
    }

    @Test(
        "what is no request gets an error, without an echo of it",
        arguments: [
            "", "{}", "[]", "null", "{\"command\":\"evil\"}", "{\"command\":7}", "\u{1b}[2J",
            "{\"command\":\"sessions\"", String(repeating: "[", count: 4000),
        ])
    func nonsense(_ line: String) throws {
        let bed = try ControlBed()
        let answer = bed.talk(Array(line.utf8) + [10])
        #expect(answer.hasPrefix("{\"error\":\"not a request; "))
        #expect(answer.hasSuffix("\n"))
        #expect(!answer.contains("evil") && !answer.contains("\u{1b}"))
        #expect(bed.questions.list.withLock { $0.isEmpty })
    }

    @Test(
        "a request of 4096 bytes is read, a longer one is refused and ends the conversation",
        arguments: [(4096, true), (4097, false), (5000, false), (100_000, false)])
    func huge(_ length: Int, _ isRead: Bool) throws {
        let bed = try ControlBed()
        let request = "{\"command\":\"sessions\"}"
        let padding = String(repeating: " ", count: length - request.utf8.count)
        let answer = bed.talk(Array((request + padding + "\n").utf8))
        if isRead {
            #expect(answer.hasPrefix("{\"sessions\":"))
        } else {
            #expect(answer == "{\"error\":\"a request has at most 4096 bytes\"}\n")
        }
        #expect(bed.questions.list.withLock { $0.count } == (isRead ? 1 : 0))
    }

    @Test("several requests at once get as many answers; half a request gets none")
    func pipelined() throws {
        let bed = try ControlBed()
        let request = "{\"command\":\"sessions\"}\n"
        let answer = bed.talk(Array((request + request + request + "{\"comm").utf8))
        #expect(answer.split(separator: "\n").count == 3)
    }

    @Test("a client that says nothing is sent away, and keeps nobody out")
    func idle() throws {
        let bed = try ControlBed(idleLimit: .milliseconds(300))
        let begin = SystemClock.now
        #expect(bed.talk(Array("{\"comm".utf8), halfClose: false) == "")
        let taken = SystemClock.now - begin
        #expect(taken >= .milliseconds(250) && taken < .seconds(3))
    }

    @Test("eight clients at once; the ninth is told to come again, and may")
    func manyClients() throws {
        let bed = try ControlBed()
        var clients = (0..<8).map { _ in clinux_unix_connect(bed.path, 5000) }
        defer { for client in clients { close(client) } }
        #expect(bed.talk([]) == "{\"error\":\"too many clients; try again\"}\n")
        close(clients.removeLast())
        #expect(
            eventually {
                (try? ControlClient.request(ControlRequest(.sessions), path: bed.path)) != nil
            })
    }

    @Test("the file is for its owner alone, its folder is made, and both end well")
    func file() throws {
        let bed = try ControlBed()
        var file = stat()
        #expect(lstat(bed.path, &file) == 0)
        #expect(file.st_mode & 0o777 == 0o600)
        #expect(lstat(bed.folder, &file) == 0)
        #expect(file.st_mode & 0o022 == 0)
        bed.socket.stop()
        #expect(lstat(bed.path, &file) == -1)
        let error = #expect(throws: ControlError.self) {
            try ControlClient.request(ControlRequest(.sessions), path: bed.path)
        }
        #expect(
            error?.description.hasPrefix("no control socket at \(bed.path): is weir running?")
                == true)
    }

    @Test("a live socket is left alone, a dead one replaced, a file that is none refused")
    func taken() throws {
        let bed = try ControlBed()
        let open = { path in
            try ControlSocket(path: path, disclosure: Disclosure(pseudonymiser: Marker())) { _ in
                nil
            }
        }
        #expect(throws: GatewayError.controlInUse(path: bed.path)) { try open(bed.path) }

        let dead = bed.folder + "/dead.sock"
        close(clinux_unix_listen(dead))
        #expect(throws: ControlError.connecting(path: dead, errno: ECONNREFUSED)) {
            try ControlClient.request(ControlRequest(.sessions), path: dead)
        }
        try open(dead).stop()

        let file = bed.folder + "/file"
        #expect(FileManager.default.createFile(atPath: file, contents: Data("kept".utf8)))
        #expect(throws: GatewayError.controlNotASocket(path: file)) { try open(file) }
        #expect(FileManager.default.contents(atPath: file) == Data("kept".utf8))

        let long = bed.folder + "/" + String(repeating: "x", count: 120)
        #expect(throws: GatewayError.control(path: long, errno: ENAMETOOLONG)) { try open(long) }
    }

    @Test("a whole gateway answers through it")
    func whole() throws {
        let bed = try Bed()
        let gateway = bed.gateway
        let path = FileManager.default.temporaryDirectory.path + "/weir-\(UUID().uuidString).sock"
        let socket = try ControlSocket(
            path: path, disclosure: Disclosure(pseudonymiser: Marker())
        ) { gateway.ask($0) }
        defer { socket.stop() }
        let status = try #require(
            try ControlClient.request(ControlRequest(.status), path: path).status)
        #expect(status.sessions == 1)
        #expect(status.listen == [bed.ike.description, bed.nat.description])
        gateway.stop()
        #expect(throws: ControlError.refused("the gateway does not answer; is it stopping?")) {
            try ControlClient.request(ControlRequest(.status), path: path)
        }
    }
}
