/// What goes back for a request.
struct Answer: Hashable, Sendable {
    let status: UInt32
    let headers: [String: String]
    let body: [UInt8]

    init(_ status: UInt32, _ headers: [String: String] = [:], text: String) {
        self.status = status
        self.headers = Self.common.merging(headers) { $1 }
        body = Array(text.utf8)
    }

    init(scrape: [UInt8], contentType: String) {
        status = 200
        headers = Self.common.merging(["Content-Type": contentType, "Vary": "Accept"]) { $1 }
        body = scrape
    }

    private static let common = [
        "Content-Type": "text/plain; charset=utf-8", "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
    ]
}

/// Which path shows what. Knows nothing of sockets.
final class Pages: Sendable {
    static let methods: Set<String> = ["GET", "HEAD"]

    private let registry: Registry
    private let isReady: @Sendable () -> Bool
    private let beforeScrape: (@Sendable () -> Void)?

    init(
        registry: Registry, isReady: @escaping @Sendable () -> Bool,
        beforeScrape: (@Sendable () -> Void)?
    ) {
        self.registry = registry
        self.isReady = isReady
        self.beforeScrape = beforeScrape
    }

    func answer(method: String, path: String, accept: String?) -> Answer {
        guard Self.methods.contains(method) else {
            return Answer(405, ["Allow": "GET, HEAD"], text: "only GET and HEAD work here\n")
        }
        switch path {
        case "/": return Answer(200, text: Self.index)
        case "/metrics": return scrape(accept)
        case "/healthz": return Answer(200, text: "ok\n")
        case "/readyz":
            return isReady()
                ? Answer(200, text: "ok\n")
                : Answer(503, text: "not ready: the gateway accepts no logins now\n")
        default: return Answer(404, text: "not found; / lists what there is\n")
        }
    }

    private func scrape(_ accept: String?) -> Answer {
        beforeScrape?()
        let format = Exposition.negotiate(accept: accept)
        return Answer(scrape: registry.render(format), contentType: format.contentType)
    }

    private static let index = """
        Weir
        /metrics  everything that is counted, for Prometheus
        /healthz  200 while the process lives
        /readyz   200 while logins are accepted, 503 otherwise

        """
}
