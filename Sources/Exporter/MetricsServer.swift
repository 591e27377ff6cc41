import CMicroHTTPD
import Synchronization
package import Vocabulary

/// Serves `/metrics`, `/healthz` and `/readyz` over HTTP, on a thread of its own.
///
/// Whoever connects gets bounded room: 64 connections, 16 of one address, 16 KiB each for the
/// request's head, ten seconds of silence. Bodies are never read.
package final class MetricsServer: Sendable {
    /// The port that it listens on.
    package let port: UInt16

    /// The library holds a pointer to it until it is stopped.
    private let pages: Pages
    private let daemon: Mutex<OpaquePointer?>

    /// - Parameters:
    ///   - address: loopback unless the operator wants otherwise: there is no authentication.
    ///   - port: 0 for any free one.
    ///   - isReady: whether logins are accepted now. Asked on the server's thread.
    ///   - beforeScrape: called on the server's thread before `/metrics` is answered.
    /// - Throws: ``ServerError`` if it can't listen there.
    package init(
        registry: Registry, address: IPAddress, port: UInt16,
        isReady: @escaping @Sendable () -> Bool, beforeScrape: (@Sendable () -> Void)? = nil
    ) throws(ServerError) {
        let endpoint = Endpoint(address, port)
        let (descriptor, bound) = try listen(on: endpoint)
        pages = Pages(registry: registry, isReady: isReady, beforeScrape: beforeScrape)
        // If this fails, the library may have closed the socket or not; a second close could hit
        // somebody else's, so it is left to the process's end.
        let started = weir_mhd_start(
            descriptor, answerRequest, Unmanaged.passUnretained(pages).toOpaque(), 64, 16, 10,
            16_384)
        guard let started else { throw .library(endpoint) }
        self.port = bound
        daemon = Mutex(started)
    }

    deinit { stop() }

    /// Closes the socket and every connection, and waits for the thread to end. Calling it again
    /// does nothing.
    package func stop() {
        daemon.withLock { daemon in
            guard let running = daemon else { return }
            MHD_stop_daemon(running)
            daemon = nil
        }
    }
}

/// Called by libmicrohttpd on its thread: once when a request's head is there, again for its
/// body and its end. Answering at the first call keeps bodies unread.
private let answerRequest: MHD_AccessHandlerCallback = {
    context, connection, url, method, _, _, uploadSize, state in
    guard let context, let connection, let url, let method, let state else { return .NO }
    let pages = Unmanaged<Pages>.fromOpaque(context).takeUnretainedValue()
    let isBodyless = uploadSize.map { $0.pointee == 0 } ?? true
    let verb = String(cString: method)
    if state.pointee == nil, isBodyless, Pages.methods.contains(verb) {
        state.pointee = context
        return .YES
    }
    uploadSize?.pointee = 0
    let accept = weir_mhd_header(connection, "Accept").map { String(cString: $0) }
    let answer = pages.answer(method: verb, path: String(cString: url), accept: accept)
    return send(answer, on: connection)
}

/// HEAD gets the headers of GET; the library leaves out the body.
private func send(_ answer: Answer, on connection: OpaquePointer) -> MHD_Result {
    let response = answer.body.withUnsafeBytes {
        weir_mhd_response_copying($0.baseAddress, $0.count)
    }
    guard let response else { return .NO }
    defer { MHD_destroy_response(response) }
    for (name, value) in answer.headers {
        guard MHD_add_response_header(response, name, value) == .YES else { return .NO }
    }
    return MHD_queue_response(connection, answer.status, response)
}
