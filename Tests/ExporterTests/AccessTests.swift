import Crypto
import Foundation
import Testing
import Vocabulary

@testable import Exporter

/// Who is let in. TLS is tested by real clients in the system tests.
@Suite("Access")
struct AccessTests {
    /// bcrypt of "correct horse", cost 4.
    static let hash = "$2b$04$abcdefghijklmnopqrstuujydOTSfIH/d5oUHpsygqV5X9xJLQc6e"

    private func secret(_ text: String) -> SharedSecret {
        SharedSecret(SecretBytes(copying: Array(text.utf8)))
    }

    private func status(_ gatekeeper: Gatekeeper, _ header: String?) -> UInt32 {
        let request = Request(path: "/metrics", authorization: header)
        return gatekeeper.refusal(of: request, session: nil)?.status ?? 200
    }

    private func basic(_ pair: String) -> String {
        "Basic " + Data(pair.utf8).base64EncodedString()
    }

    @Test("needs nothing where nothing is set")
    func open() {
        #expect(status(Gatekeeper(Access()), nil) == 200)
    }

    @Test("lets in who knows the password, and nobody else")
    func passwords() {
        let gatekeeper = Gatekeeper(Access(users: ["scraper": secret(Self.hash)]))
        #expect(status(gatekeeper, basic("scraper:correct horse")) == 200)
        #expect(status(gatekeeper, basic("scraper:correct horse")) == 200)
        for header in [
            nil, "", "Basic", "Basic !", "Basic c2NyYXBlcg==", basic("scraper:wrong"),
            basic("scraper:"), basic(":correct horse"), basic("nobody:correct horse"),
            basic("scraper:correct horse\0x"), "Bearer correct horse",
            "Basic " + String(repeating: "A", count: 5_000),
        ] {
            let status = status(gatekeeper, header)
            #expect(status == 401 || status == 429, "\(header ?? "none")")
        }
        let answer = gatekeeper.refusal(of: Request(path: "/"), session: nil)
        #expect(answer?.headers["WWW-Authenticate"]?.hasPrefix("Basic realm=") == true)
    }

    @Test("lets so many requests through at once, and one in each interval after that")
    func rateLimit() {
        let start = ContinuousClock.now
        var bucket = TokenBucket(.init(interval: .seconds(2), burst: 3), at: start)
        func taken(after seconds: Int) -> Bool { bucket.take(at: start + .seconds(seconds)) }
        #expect((0..<5).map { _ in taken(after: 0) } == [true, true, true, false, false])
        #expect([1, 2, 3, 4, 4].map(taken) == [false, true, false, true, false])
        // However long nobody came, no more than the burst.
        #expect((0..<5).map { _ in taken(after: 1_000) } == [true, true, true, false, false])
    }

    @Test("slows guessing, and does not hold up those it knows")
    func guessing() {
        let gatekeeper = Gatekeeper(Access(users: ["scraper": secret(Self.hash)]))
        #expect(status(gatekeeper, basic("scraper:correct horse")) == 200)
        var refused = 0
        let start = ContinuousClock.now
        for guess in 0..<2_000 where start.duration(to: .now) < .seconds(5) {
            if status(gatekeeper, basic("nobody:\(guess)")) == 429 { refused += 1 }
        }
        #expect(refused > 0)
        #expect(status(gatekeeper, basic("scraper:correct horse")) == 200)
    }

    @Test("lets in bearers of a token")
    func tokens() {
        let gatekeeper = Gatekeeper(Access(tokens: [secret("s3cret"), secret("other")]))
        #expect(status(gatekeeper, "Bearer s3cret") == 200)
        #expect(status(gatekeeper, "bearer other") == 200)
        for header in [nil, "Bearer", "Bearer ", "Bearer s3cre", "Bearer s3crets", "Basic s3cret"] {
            #expect(status(gatekeeper, header) == 401, "\(header ?? "none")")
        }
    }

    @Test(
        "reads base64 as it is written",
        arguments: [
            ("", ""), ("Zg==", "f"), ("Zm8=", "fo"), ("Zm9v", "foo"), ("Zm9vYmE=", "fooba"),
            ("Zg=", nil), ("Zg", nil), ("Z===", nil), ("Zm9v!", nil), ("Zm\n=", nil),
        ])
    func base64(_ text: String, _ expected: String?) {
        #expect(decodedBase64(text) == expected.map { Array($0.utf8) })
    }

    @Test("hangs up on clients that drip")
    func drips() throws {
        let table = ConnectionTable(limit: .milliseconds(20))
        var pair: [Int32] = [0, 0]
        try #require(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &pair) == 0)
        defer { for descriptor in pair { close(descriptor) } }
        table.opened(pair[0])
        table.sweep()
        var byte: UInt8 = 7
        #expect(send(pair[1], &byte, 1, Int32(MSG_NOSIGNAL)) == 1)
        usleep(30_000)
        table.sweep()
        #expect(send(pair[1], &byte, 1, Int32(MSG_NOSIGNAL)) == -1)
        table.closing(pair[0])
        table.completed(pair[0])
        table.sweep()
    }

    @Test("changes rules while it serves")
    func changes() throws {
        let server = try MetricsServer(
            registry: Registry(version: "1"), address: .v4(0x7f00_0001), port: 0, isReady: { true })
        func ask(_ header: String = "") throws -> Int? {
            let client = try Client(port: server.port)
            client.send("GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\(header)\r\n")
            return HTTPAnswer(client.receive())?.status
        }
        #expect(try ask() == 200)
        try server.change(
            access: Access(tokens: [secret("t")], headers: ["X-Frame-Options": "DENY"]))
        #expect(try ask() == 401)
        #expect(try ask("Authorization: Bearer t\r\n") == 200)
        try server.change(access: Access())
        #expect(try ask() == 200)
        server.stop()
        try server.change(access: Access())
        #expect(throws: (any Error).self) { try ask() }
    }
}
