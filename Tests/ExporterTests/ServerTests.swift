import Foundation
import Synchronization
import Testing
import Vocabulary

@testable import Exporter

/// Real HTTP over loopback.
@Suite("Metrics server")
struct ServerTests {
    let ready = Flag(true)
    let server: MetricsServer

    init() throws {
        server = try MetricsServer(
            registry: .withExamples(), address: .v4(0x7f00_0001), port: 0,
            isReady: { [ready] in ready.value }, beforeScrape: nil)
    }

    @Test(
        "answers",
        arguments: [
            (method: "GET", path: "/", status: 200, body: "/readyz"),
            (method: "GET", path: "/healthz", status: 200, body: "ok\n"),
            (method: "GET", path: "/readyz", status: 200, body: "ok\n"),
            (method: "GET", path: "/metrics?a=b", status: 200, body: "ike_sessions 12\n"),
            (method: "GET", path: "/metrics/", status: 404, body: "not found"),
            (method: "GET", path: "/../etc/passwd", status: 404, body: "not found"),
            (method: "GET", path: "/metrics%ff%0a%1b", status: 404, body: "not found"),
            (method: "POST", path: "/metrics", status: 405, body: "only GET"),
            (method: "DELETE", path: "/metrics", status: 405, body: "only GET"),
            (method: "OPTIONS", path: "/metrics", status: 405, body: "only GET"),
        ])
    func answers(_ example: (method: String, path: String, status: Int, body: String)) throws {
        let answer = try ask("\(example.method) \(example.path) HTTP/1.1")
        #expect(answer.status == example.status)
        #expect(answer.body.contains(example.body))
        #expect(answer.head.contains("Allow: GET, HEAD") == (example.status == 405))
    }

    @Test("gives the type that was asked for")
    func negotiates() throws {
        let plain = try ask("GET /metrics HTTP/1.1")
        #expect(plain.head.contains("Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"))
        #expect(!plain.body.contains("# EOF"))
        let open = try ask(
            "GET /metrics HTTP/1.1\r\nAccept: application/openmetrics-text;version=1.0.0")
        #expect(
            open.head.contains(
                "Content-Type: application/openmetrics-text; version=1.0.0; charset=utf-8\r\n"))
        #expect(open.body.hasSuffix("# EOF\n"))
    }

    @Test("gives HEAD the headers of GET and no body")
    func head() throws {
        let answer = try ask("HEAD /healthz HTTP/1.1")
        #expect(answer.status == 200)
        #expect(answer.head.contains("Content-Length: 3\r\n"))
        #expect(answer.body.isEmpty)
    }

    @Test("compresses when asked, and gives fewer families by name")
    func compressesAndFilters() throws {
        let some = try ask(
            "GET /metrics?name[]=ike_sessions&name%5B%5D=ike_handshake_duration_seconds_sum HTTP/1.1"
        )
        #expect(some.body.contains("\nike_sessions 12\n"))
        #expect(some.body.contains("ike_handshake_duration_seconds_count{stage=\"total\"} 1\n"))
        #expect(some.body.components(separatedBy: "# TYPE").count == 3)
        let whole = try ask("GET /metrics HTTP/1.1")
        let small = try ask("GET /metrics HTTP/1.1\r\nAccept-Encoding: gzip")
        #expect(small.head.contains("Content-Encoding: gzip\r\n"))
        #expect(small.head.contains("Vary: Accept, Accept-Encoding\r\n"))
        #expect(small.length < whole.body.utf8.count / 4)
        #expect(!whole.head.contains("Content-Encoding"))
    }

    @Test("says what there is when asked for something else")
    func notAcceptable() throws {
        let answer = try ask("GET /metrics HTTP/1.1\r\nAccept: text/html")
        #expect(answer.status == 406)
        #expect(answer.body.contains("application/openmetrics-text; version=1.0.0"))
    }

    @Test("shows what a site has, and the rest as before")
    func site() throws {
        struct Front: Site {
            func answer(_ request: Request) -> Answer? {
                request.path == "/"
                    ? Answer(200, text: "front \(request.parameter("a") ?? "")") : nil
            }
        }
        let server = try MetricsServer(
            registry: Registry(version: "1"), address: .v6(high: 0, low: 1), port: 0,
            site: Front(), isReady: { true })
        #expect(try ask("GET /?a=%3Cb%3E HTTP/1.1", to: server).body == "front <b>")
        #expect(try ask("GET /healthz HTTP/1.1", to: server).body == "ok\n")
        #expect(try ask("GET /x HTTP/1.1", to: server).status == 404)
    }

    @Test("says when the gateway takes no logins")
    func notReady() throws {
        ready.value = false
        let answer = try ask("GET /readyz HTTP/1.1")
        #expect(answer.status == 503)
        #expect(answer.body == "not ready: the gateway accepts no logins now\n")
    }

    @Test("calls before each scrape, and before nothing else")
    func beforeScrape() throws {
        let registry = Registry(version: "1")
        let server = try MetricsServer(
            registry: registry, address: .v6(high: 0, low: 1), port: 0, isReady: { true },
            beforeScrape: { registry.set(.queueLength, to: 7) })
        #expect(try !ask("GET / HTTP/1.1", to: server).body.contains("7"))
        #expect(
            try ask("GET /metrics HTTP/1.1", to: server).body
                .contains("weir_recorder_queue_length 7\n"))
        server.stop()
    }

    @Test("refuses a port that is taken, and says so")
    func portInUse() {
        let error = #expect(throws: ServerError.self) {
            try MetricsServer(
                registry: Registry(version: "1"), address: .v4(0x7f00_0001), port: server.port,
                isReady: { true }, beforeScrape: nil)
        }
        #expect(error == .inUse(Endpoint(.v4(0x7f00_0001), server.port)))
        #expect(error?.description.contains("127.0.0.1:\(server.port) is in use") == true)
    }

    @Test("refuses an address that is not ours")
    func foreignAddress() {
        #expect(throws: ServerError.noSuchAddress(Endpoint(.v4(0xc000_0207), 0))) {
            try MetricsServer(
                registry: Registry(version: "1"), address: .v4(0xc000_0207), port: 0,
                isReady: { true }, beforeScrape: nil)
        }
    }

    @Test("frees its port when stopped, and may be stopped twice")
    func stops() throws {
        server.stop()
        server.stop()
        #expect(throws: (any Error).self) { try ask("GET / HTTP/1.1") }
        let again = try MetricsServer(
            registry: Registry(version: "1"), address: .v4(0x7f00_0001), port: server.port,
            isReady: { true }, beforeScrape: nil)
        #expect(try ask("GET /healthz HTTP/1.1", to: again).status == 200)
    }

    @Test(
        "outlives hostile clients",
        arguments: [
            "\0\0\0\0\0\0\0\0", "GET", "GET / HTTP/9.9\r\n\r\n", "\r\n\r\n\r\n\r\n",
            "GET /metrics HTTP/1.1\r\nHost: a\r\n",
            "GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999\r\n\r\nabc",
            "GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n",
            "GET /" + String(repeating: "a", count: 100_000),
            "GET / HTTP/1.1\r\nA: " + String(repeating: "b", count: 1_000_000) + "\r\n\r\n",
            "GET / HTTP/1.1\r\n" + String(repeating: "X: y\r\n", count: 50_000) + "\r\n",
            String(repeating: "GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n", count: 50),
        ])
    func isRobust(_ input: String) throws {
        let client = try Client(port: server.port, patience: 100)
        client.send(input)
        client.endSending()
        _ = client.receive()
        #expect(try ask("GET /healthz HTTP/1.1").status == 200)
    }

    @Test("answers pipelined requests in turn")
    func pipelined() throws {
        let client = try Client(port: server.port)
        let request = "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"
        client.send(request + request + "GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        let text = client.receive()
        #expect(text.components(separatedBy: "HTTP/1.1 200").count == 3)
        #expect(text.components(separatedBy: "HTTP/1.1 404").count == 2)
    }

    @Test("answers who has said all that he will say")
    func halfClosed() throws {
        let client = try Client(port: server.port)
        client.send("GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        client.endSending()
        #expect(client.receive().hasSuffix("\r\n\r\nok\n"))
    }

    @Test("gives HEAD of the metrics their size, and refuses it as it would GET")
    func headOfMetrics() throws {
        let whole = try ask("HEAD /metrics HTTP/1.1")
        #expect(whole.status == 200)
        #expect(whole.length > 10_000)
        #expect(whole.body.isEmpty)
        #expect(try ask("HEAD /metrics HTTP/1.1\r\nAccept: image/png").status == 406)
        #expect(try ask("HEAD /nothing HTTP/1.1").status == 404)
    }

    @Test("lets one address have 64 connections, and the next wait for one's end")
    func isBounded() throws {
        var clients = try (0..<64).map { _ in try Client(port: server.port) }
        for client in clients {
            client.send("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(client.receiveSome().contains("200 OK"))
        }
        #expect(throws: (any Error).self) { try ask("GET /healthz HTTP/1.1") }
        clients.removeAll()
        var status: Int?
        for _ in 0..<3_000 where status == nil {
            status = try? ask("GET /healthz HTTP/1.1").status
            if status == nil { usleep(10_000) }
        }
        #expect(status == 200)
    }

    private func ask(_ request: String, to other: MetricsServer? = nil) throws -> HTTPAnswer {
        let v6 = other != nil && other?.port != server.port
        let client = try Client(port: (other ?? server).port, v6: v6)
        client.send(request + "\r\nHost: weir\r\nConnection: close\r\n\r\n")
        guard let answer = HTTPAnswer(client.receive()) else { throw NoConnection() }
        return answer
    }
}

final class Flag: Sendable {
    private let state: Mutex<Bool>
    init(_ value: Bool) { state = Mutex(value) }
    var value: Bool {
        get { state.withLock { $0 } }
        set { state.withLock { $0 = newValue } }
    }
}
