import Foundation
import Logging
import Testing
import Vocabulary

@testable import Alerts

@Suite("Notifier")
struct NotifierTests {
    let log = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    @Test("POSTs to the API and does not follow a redirect", .timeLimit(.minutes(1)))
    func posts() throws {
        let server = try TinyServer(
            answering: "302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0")
        let notifier = try notifier(to: server.port)
        notifier.post(.example())
        #expect(eventually { server.requests.count == 1 && notifier.failures == 1 })
        let request = server.requests.first ?? ""
        #expect(request.hasPrefix("POST /api/v2/alerts HTTP/1.1\r\n"))
        #expect(request.contains("Content-Type: application/json\r\n"))
        notifier.stop()
    }

    @Test("tries again after a failure until it is told", .timeLimit(.minutes(1)))
    func retries() throws {
        let server = try TinyServer(answering: "503 Busy\r\nContent-Length: 0")
        let notifier = try notifier(to: server.port)
        notifier.post(.example())
        #expect(eventually { notifier.failures == 1 })
        server.answer = "200 OK\r\nContent-Length: 2\r\n\r\nok"
        #expect(eventually { server.requests.count == 2 })
        #expect(notifier.failures == 1)
        notifier.stop()
    }

    @Test("does not repeat what was refused for good", .timeLimit(.minutes(1)))
    func refused() throws {
        let server = try TinyServer(answering: "400 Bad Request\r\nContent-Length: 0")
        let notifier = try notifier(to: server.port)
        notifier.post(.example(ended: true))
        #expect(eventually { notifier.failures == 1 })
        server.answer = "200 OK\r\nContent-Length: 0"
        notifier.post(.example(subject: "addr:next"))
        #expect(eventually { server.requests.count == 2 })
        #expect(server.requests.last?.contains("addr:next") == true)
        #expect(server.requests.last?.contains("addr:k3v9") == false)
        notifier.stop()
    }

    @Test("blocks nobody when a receiver hangs, and tells the others", .timeLimit(.minutes(1)))
    func hangs() throws {
        let hanging = try TinyServer(answering: nil)
        let healthy = try TinyServer(answering: "200 OK\r\nContent-Length: 0")
        let notifier = try notifier(to: hanging.port, healthy.port)
        let clock = ContinuousClock()
        #expect(clock.measure { notifier.post(.example()) } < .milliseconds(500))
        #expect(eventually { hanging.requests.count == 1 && healthy.requests.count == 1 })
        #expect(clock.measure { notifier.stop() } < .milliseconds(2_900))
    }

    @Test("sends what is due before it stops, and may be stopped twice", .timeLimit(.minutes(1)))
    func flushes() throws {
        let server = try TinyServer(answering: "200 OK\r\nContent-Length: 0")
        let notifier = try notifier(to: server.port)
        for number in 0..<200 { notifier.post(.example(subject: "addr:\(number).")) }
        notifier.stop()
        notifier.stop()
        let told = server.requests.joined()
        for number in 0..<200 { #expect(told.contains("addr:\(number).")) }
        #expect(notifier.failures == 0)
    }

    @Test("counts what finds no room", .timeLimit(.minutes(1)))
    func overflow() throws {
        let server = try TinyServer(answering: nil)
        let notifier = try notifier(to: server.port)
        for number in 0..<Outbox.limit + 5 { notifier.post(.example(subject: "addr:\(number)")) }
        #expect(notifier.failures == 5)
        notifier.stop()
    }

    @Test("refuses URLs that can't work, and more than eight")
    func refuses() {
        #expect(throws: NotifierError.notAURL("am")) {
            try AlertmanagerNotifier(urls: ["am"], gateway: "g", log: log)
        }
        #expect(throws: NotifierError.tooMany(9)) {
            try AlertmanagerNotifier(
                urls: Array(repeating: "http://am", count: 9), gateway: "g", log: log)
        }
    }

    private func notifier(to ports: UInt16...) throws -> AlertmanagerNotifier {
        try AlertmanagerNotifier(
            urls: ports.map { "http://127.0.0.1:\($0)" }, gateway: "vpn-1", log: log)
    }
}

/// Waits up to ten seconds.
func eventually(_ condition: () -> Bool) -> Bool {
    for _ in 0..<1_000 {
        if condition() { return true }
        usleep(10_000)
    }
    return condition()
}
