import CMicroHTTPD
import Crypto
import Glibc
import Synchronization
package import Vocabulary

/// Serves `/metrics`, `/healthz`, `/readyz` and a ``Site`` over HTTP or HTTPS, on a thread of its
/// own.
///
/// Whoever connects gets bounded room: 256 connections, 64 of one address, 16 KiB each for the
/// request's head, ten seconds of silence, twenty seconds for a request and its answer. Bodies are
/// never read.
package final class MetricsServer: Sendable {
    /// The port that it listens on.
    package let port: UInt16

    private let endpoint: Endpoint
    /// Ours; each daemon gets a copy, which it closes.
    private let listener: Int32
    private let pages: Pages
    private let registry: Registry
    private let running: Mutex<Daemon?>

    /// - Parameters:
    ///   - address: loopback unless the operator wants otherwise.
    ///   - port: 0 for any free one.
    ///   - access: who may ask; everybody by default.
    ///   - site: what there is besides the metrics.
    ///   - isReady: whether logins are accepted now. Asked on the server's thread.
    ///   - beforeScrape: called on the server's thread before `/metrics` is answered.
    /// - Throws: ``ServerError`` if it can't listen there.
    package init(
        registry: Registry, address: IPAddress, port: UInt16, access: Access = Access(),
        site: (any Site)? = nil, isReady: @escaping @Sendable () -> Bool,
        beforeScrape: (@Sendable () -> Void)? = nil
    ) throws(ServerError) {
        endpoint = Endpoint(address, port)
        let (descriptor, bound) = try listen(on: endpoint)
        listener = descriptor
        pages = Pages(registry: registry, site: site, isReady: isReady, beforeScrape: beforeScrape)
        self.port = bound
        self.registry = registry
        do throws(ServerError) {
            running = Mutex(try Daemon(pages, access, on: descriptor, endpoint))
        } catch {
            close(descriptor)
            throw error
        }
        tellExpiries(access)
    }

    private func tellExpiries(_ access: Access) {
        for (role, expiry) in access.expiries { registry.set(role, expiry: expiry) }
    }

    deinit {
        stop()
        close(listener)
    }

    /// Serves by other rules from now on. Connections that are open are ended.
    ///
    /// - Throws: ``ServerError``; the old rules hold then.
    package func change(access: Access) throws(ServerError) {
        let next = try Daemon(pages, access, on: listener, endpoint)
        let last = running.withLock { daemon -> Daemon? in
            // Stopped in the meantime: so is the next.
            guard let last = daemon else { return next }
            daemon = next
            return last
        }
        last?.retire()
        tellExpiries(access)
    }

    /// Hangs up on clients that take too long. Call it every few seconds.
    package func sweep() {
        running.withLock { $0?.context.connections.sweep() }
    }

    /// Closes the socket and every connection, and waits for the thread to end. Calling it again
    /// does nothing.
    package func stop() {
        let last = running.withLock { daemon -> Daemon? in
            defer { daemon = nil }
            return daemon
        }
        guard let last else { return }
        shutdown(listener, Int32(SHUT_RDWR))
        last.stop()
    }
}

/// One run of libmicrohttpd under one set of rules.
private final class Daemon: Sendable {
    let context: Context
    private let handle: Mutex<OpaquePointer?>
    /// The library reads these as long as it runs.
    private let texts: [CText]

    /// What the library's callbacks get. It lives as long as the daemon.
    final class Context: Sendable {
        let pages: Pages
        let gatekeeper: Gatekeeper
        let connections = ConnectionTable(limit: .seconds(20))
        let headers: [String: String]
        private let limiter: Mutex<TokenBucket>?

        init(_ pages: Pages, _ access: Access) {
            self.pages = pages
            gatekeeper = Gatekeeper(access)
            headers = access.headers
            limiter = access.rateLimit.map { Mutex(TokenBucket($0, at: .now)) }
        }

        func answer(_ request: Request, session: UnsafeMutableRawPointer?) -> Answer {
            guard limiter?.withLock({ $0.take(at: .now) }) ?? true else {
                return Answer(429, ["Retry-After": "1"], text: "too many requests; try again\n")
            }
            return gatekeeper.refusal(of: request, session: session) ?? pages.answer(request)
        }
    }

    init(
        _ pages: Pages, _ access: Access, on listener: Int32, _ endpoint: Endpoint
    ) throws(ServerError) {
        context = Context(pages, access)
        let key = access.tls.map { CText($0.key.bytes) }
        let certificate = access.tls.map { CText($0.certificate) }
        let trust = access.tls?.clients.map { CText($0.authorities) }
        let priorities = access.tls.map { CText(Array($0.priorities.utf8)) }
        texts = [key, certificate, trust, priorities].compactMap { $0 }
        let descriptor = fcntl(listener, F_DUPFD_CLOEXEC, 0)
        guard descriptor >= 0 else { throw ServerError(endpoint, errno: errno) }
        // If this fails, the library may have closed the socket or not; a second close could hit
        // somebody else's, so it is left to the process's end.
        let started = weir_mhd_start(
            descriptor, answerRequest, connectionChanged, requestCompleted,
            Unmanaged.passUnretained(context).toOpaque(), 256, 64, 10, 16_384, key?.start,
            certificate?.start, trust?.start, priorities?.start)
        guard let started else { throw .library(endpoint) }
        handle = Mutex(started)
    }

    deinit { stop() }

    /// Stops, and leaves the listening socket to its successor.
    func retire() {
        handle.withLock { handle in
            guard let running = handle else { return }
            let descriptor = MHD_quiesce_daemon(running)
            MHD_stop_daemon(running)
            if descriptor >= 0 { close(descriptor) }
            handle = nil
        }
    }

    func stop() {
        handle.withLock { handle in
            guard let running = handle else { return }
            MHD_stop_daemon(running)
            handle = nil
        }
    }
}

/// Bytes that end with a zero, at a fixed place, wiped in the end.
private final class CText: @unchecked Sendable {
    private let buffer: UnsafeMutableBufferPointer<CChar>

    var start: UnsafePointer<CChar>? { UnsafePointer(buffer.baseAddress) }

    init(_ bytes: [UInt8]) {
        buffer = .allocate(capacity: bytes.count + 1)
        buffer.initialize(repeating: 0)
        for (place, byte) in bytes.enumerated() { buffer[place] = CChar(bitPattern: byte) }
    }

    init(_ bytes: borrowing SecretBytes) {
        buffer = .allocate(capacity: bytes.count + 1)
        buffer.initialize(repeating: 0)
        let target = buffer
        bytes.withBytes { span in
            for place in 0..<span.count { target[place] = CChar(bitPattern: span[place]) }
        }
    }

    deinit {
        if let start = buffer.baseAddress { explicit_bzero(start, buffer.count) }
        buffer.deallocate()
    }
}

/// Called by libmicrohttpd on its thread: once when a request's head is there, again for its
/// body and its end. Answering at the first call keeps bodies unread.
private let answerRequest: MHD_AccessHandlerCallback = {
    context, connection, url, method, _, _, uploadSize, state in
    guard let context, let connection, let url, let method, let state else { return .NO }
    let server = Unmanaged<Daemon.Context>.fromOpaque(context).takeUnretainedValue()
    let isBodyless = uploadSize.map { $0.pointee == 0 } ?? true
    let verb = String(cString: method)
    if state.pointee == nil, isBodyless, Pages.methods.contains(verb) {
        state.pointee = context
        return .YES
    }
    uploadSize?.pointee = 0
    let request = request(verb, String(cString: url), connection)
    var answer = server.answer(request, session: weir_mhd_tls_session(connection))
    answer.headers.merge(server.headers) { $1 }
    return send(answer, on: connection)
}

private let connectionChanged: MHD_NotifyConnectionCallback = { context, connection, _, code in
    guard let context, let connection else { return }
    let server = Unmanaged<Daemon.Context>.fromOpaque(context).takeUnretainedValue()
    let descriptor = weir_mhd_socket(connection)
    if code.rawValue == 0 {
        server.connections.opened(descriptor)
    } else {
        server.connections.closing(descriptor)
    }
}

private let requestCompleted: MHD_RequestCompletedCallback = { context, connection, _, _ in
    guard let context, let connection else { return }
    let server = Unmanaged<Daemon.Context>.fromOpaque(context).takeUnretainedValue()
    server.connections.completed(weir_mhd_socket(connection))
}

private func request(_ method: String, _ path: String, _ connection: OpaquePointer) -> Request {
    func header(_ name: String) -> String? {
        weir_mhd_header(connection, name).map { String(cString: $0) }
    }
    var request = Request(
        method: method, path: path, accept: header("Accept"),
        acceptEncoding: header("Accept-Encoding"), authorization: header("Authorization"))
    withUnsafeMutablePointer(to: &request) { pointer in
        weir_mhd_parameters(
            connection,
            { context, _, name, value in
                guard let request = context?.assumingMemoryBound(to: Request.self), let name else {
                    return .NO
                }
                request.pointee.parameters.append(
                    (String(cString: name), value.map { String(cString: $0) } ?? ""))
                return request.pointee.parameters.count < 64 ? .YES : .NO
            }, pointer)
    }
    return request
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
