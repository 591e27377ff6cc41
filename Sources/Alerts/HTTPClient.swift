import CCurl
import Vocabulary

/// POSTs JSON with libcurl. For one thread at a time; keeps its connection.
///
/// Speaks HTTP and HTTPS only, follows no redirect, takes no proxy from the environment, and
/// never shows what the server answers.
struct HTTPClient: ~Copyable {
    enum Outcome: Hashable, Sendable {
        case accepted
        /// It understood and won't take it, now or later.
        case refused(status: Int)
        /// Worth another attempt.
        case failed(String)
    }

    private let curl: UnsafeMutableRawPointer
    private let headers: UnsafeMutablePointer<curl_slist>

    /// Once per process, before the first handle.
    private static let library = weir_curl_global_init()

    /// - Returns: nil if there is no memory.
    init?() {
        guard Self.library == CURLE_OK, let curl = curl_easy_init() else { return nil }
        guard let headers = curl_slist_append(nil, "Content-Type: application/json") else {
            curl_easy_cleanup(curl)
            return nil
        }
        self.curl = curl
        self.headers = headers
    }

    deinit {
        curl_easy_cleanup(curl)
        curl_slist_free_all(headers)
    }

    /// - Parameter timeout: for everything, from the name's resolution to the answer.
    func post(_ body: [UInt8], to url: String, timeout: Duration) -> Outcome {
        let milliseconds = Int(clamping: timeout.nanoseconds / 1_000_000)
        let codes = [
            weir_curl_set_string(curl, CURLOPT_URL, url),
            weir_curl_set_string(curl, CURLOPT_PROTOCOLS_STR, "http,https"),
            weir_curl_set_string(curl, CURLOPT_PROXY, ""),
            weir_curl_set_long(curl, CURLOPT_FOLLOWLOCATION, 0),
            weir_curl_set_long(curl, CURLOPT_NOSIGNAL, 1),
            weir_curl_set_long(curl, CURLOPT_TIMEOUT_MS, max(milliseconds, 1)),
            weir_curl_set_headers(curl, headers),
            weir_curl_ignore_answer(curl),
            body.withUnsafeBytes { weir_curl_set_body(curl, $0.baseAddress, $0.count) },
        ]
        if let code = codes.first(where: { $0 != CURLE_OK }) { return .failed(text(code)) }
        let code = curl_easy_perform(curl)
        guard code == CURLE_OK else { return .failed(text(code)) }
        return Self.outcome(status: weir_curl_status(curl))
    }

    static func outcome(status: Int) -> Outcome {
        switch status {
        case 200..<300: .accepted
        case 408, 429: .failed("HTTP status \(status)")
        case 400..<500: .refused(status: status)
        default: .failed("HTTP status \(status)")
        }
    }

    private func text(_ code: CURLcode) -> String { String(cString: curl_easy_strerror(code)) }
}
