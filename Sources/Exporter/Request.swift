/// What a client asks for, with all that an answer can depend on.
package struct Request: Sendable {
    package var method: String
    package var path: String
    /// Of the query, decoded, in order; at most 64.
    package var parameters: [(name: String, value: String)]
    package var accept: String?
    package var acceptEncoding: String?
    package var authorization: String?

    package init(
        method: String = "GET", path: String, parameters: [(name: String, value: String)] = [],
        accept: String? = nil, acceptEncoding: String? = nil, authorization: String? = nil
    ) {
        self.method = method
        self.path = path
        self.parameters = parameters
        self.accept = accept
        self.acceptEncoding = acceptEncoding
        self.authorization = authorization
    }

    /// The first value of a parameter.
    package func parameter(_ name: String) -> String? {
        parameters.first { $0.name == name }?.value
    }
}

/// What goes back for a request.
package struct Answer: Hashable, Sendable {
    package let status: UInt32
    package var headers: [String: String]
    package private(set) var body: [UInt8]

    package init(_ status: UInt32, _ headers: [String: String] = [:], text: String) {
        self.init(status, headers, body: Array(text.utf8))
    }

    package init(_ status: UInt32, _ headers: [String: String] = [:], body: [UInt8]) {
        self.status = status
        self.headers = Self.common.merging(headers) { $1 }
        self.body = body
    }

    /// As gzip, if the client takes that and it saves anything.
    func encoded(for request: Request) -> Answer {
        var answer = self
        answer.headers["Vary"] = "Accept, Accept-Encoding"
        guard acceptsGzip(request.acceptEncoding), let compressed = gzip(body) else {
            return answer
        }
        answer.headers["Content-Encoding"] = "gzip"
        answer.body = compressed
        return answer
    }

    private static let common = [
        "Content-Type": "text/plain; charset=utf-8", "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
    ]
}

/// More to see on the same server than metrics: the page for people. Asked on the server's thread.
package protocol Site: Sendable {
    /// - Returns: nil if there is nothing at that path.
    func answer(_ request: Request) -> Answer?
}
