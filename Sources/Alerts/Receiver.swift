import Foundation
import Vocabulary

/// Why a notifier can't be made. The description says what to do.
package enum NotifierError: Error, Hashable, CustomStringConvertible {
    /// - Parameter url: as configured, made safe to print.
    case notAURL(String)
    /// A password in a URL ends up in logs and process lists.
    case credentialsInURL
    case tooMany(Int)

    package var description: String {
        switch self {
        case .notAURL(let url):
            "alerts: \(url) is not the URL of an Alertmanager; write http://HOST:9093 or https://HOST"
        case .credentialsInURL:
            "alerts: the Alertmanager's URL holds a user name or password; put a proxy before the "
                + "Alertmanager that needs none from this host"
        case .tooMany(let count):
            "alerts: \(count) Alertmanagers are too many; at most \(Receiver.limit) are told"
        }
    }
}

/// An Alertmanager.
struct Receiver: Hashable, Sendable {
    static let limit = 8

    /// Where alerts are POSTed to.
    let url: String
    /// For logs: scheme, host and port.
    let name: String

    /// - Parameter base: as configured: the URL that a browser would be given.
    init(base: String) throws(NotifierError) {
        guard !base.contains("@") else { throw .credentialsInURL }
        guard base.utf8.count <= 2_048, let parts = URLComponents(string: base),
            let scheme = parts.scheme?.lowercased(), ["http", "https"].contains(scheme),
            let host = parts.host, !host.isEmpty, parts.query == nil, parts.fragment == nil
        else { throw .notAURL(escaped(base.utf8)) }
        var path = parts.percentEncodedPath[...]
        while path.hasSuffix("/") { path = path.dropLast() }
        let port = parts.port.map { ":\($0)" } ?? ""
        name = escaped("\(scheme)://\(host)\(port)".utf8)
        var full = parts
        full.percentEncodedPath = path + "/api/v2/alerts"
        guard let url = full.string else { throw .notAURL(escaped(base.utf8)) }
        self.url = url
    }
}
