/// Which path shows what. Knows nothing of sockets.
final class Pages: Sendable {
    static let methods: Set<String> = ["GET", "HEAD"]

    private let registry: Registry
    private let site: (any Site)?
    private let isReady: @Sendable () -> Bool
    private let beforeScrape: (@Sendable () -> Void)?

    init(
        registry: Registry, site: (any Site)?, isReady: @escaping @Sendable () -> Bool,
        beforeScrape: (@Sendable () -> Void)?
    ) {
        self.registry = registry
        self.site = site
        self.isReady = isReady
        self.beforeScrape = beforeScrape
    }

    func answer(_ request: Request) -> Answer {
        guard Self.methods.contains(request.method) else {
            return Answer(405, ["Allow": "GET, HEAD"], text: "only GET and HEAD work here\n")
        }
        switch request.path {
        case "/metrics": return scrape(request)
        case "/healthz": return Answer(200, text: "ok\n")
        case "/readyz":
            return isReady()
                ? Answer(200, text: "ok\n")
                : Answer(503, text: "not ready: the gateway accepts no logins now\n")
        default:
            if let answer = site?.answer(request) { return answer.encoded(for: request) }
            if request.path == "/" { return Answer(200, text: Self.index) }
            return Answer(404, text: "not found; / lists what there is\n")
        }
    }

    /// `name[]` as in Prometheus's federation: only the families of these sample names.
    private func scrape(_ request: Request) -> Answer {
        guard let format = Exposition.negotiate(accept: request.accept) else {
            return Answer(406, ["Vary": "Accept"], text: Self.formats)
        }
        beforeScrape?()
        let names = Set(request.parameters.filter { $0.name == "name[]" }.map(\.value))
        let body = registry.render(format, names: names.isEmpty ? nil : names)
        return Answer(200, ["Content-Type": format.contentType], body: body).encoded(for: request)
    }

    private static let formats = """
        not acceptable; there are
        \(Exposition.text004.contentType)
        \(Exposition.openMetrics100.contentType)
        \(Exposition.protobuf.contentType)

        """

    private static let index = """
        Weir
        /metrics  everything that is counted, for Prometheus
        /healthz  200 while the process lives
        /readyz   200 while logins are accepted, 503 otherwise

        """
}
