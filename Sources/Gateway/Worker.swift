import CLinux
import Glibc
import Synchronization

/// A named thread that takes no signals and can be waited for.
package final class Worker: Sendable {
    private let thread: Mutex<pthread_t?>

    /// - Throws: ``GatewayError/system(what:errno:)``.
    package init(named name: String, _ body: @escaping @Sendable () -> Void) throws(GatewayError) {
        let start = Unmanaged.passRetained(Start(name: name, body: body))
        var thread = pthread_t()
        let result = pthread_create(
            &thread, nil,
            { argument in
                guard let argument else { return nil }
                Unmanaged<Start>.fromOpaque(argument).takeRetainedValue().run()
                return nil
            }, start.toOpaque())
        guard result == 0 else {
            start.release()
            throw .system(what: "the thread \(name)", errno: result)
        }
        self.thread = Mutex(thread)
    }

    /// Waits for the end of the body. The second call and later ones return at once.
    package func join() {
        let thread = self.thread.withLock { thread in
            defer { thread = nil }
            return thread
        }
        if let thread { pthread_join(thread, nil) }
    }

    private final class Start: Sendable {
        let name: String
        let body: @Sendable () -> Void

        init(name: String, body: @escaping @Sendable () -> Void) {
            self.name = name
            self.body = body
        }

        func run() {
            clinux_block_signals()
            clinux_name_thread(name)
            body()
        }
    }
}

/// An eventfd: any thread wakes the one that waits for it.
final class WakeUp: Sendable {
    let descriptor: Int32

    init() throws(GatewayError) {
        descriptor = clinux_eventfd()
        guard descriptor >= 0 else {
            throw .system(what: "an event descriptor", errno: -descriptor)
        }
    }

    deinit { close(descriptor) }

    /// Never waits: a counter that is full is as good as one more.
    func signal() {
        var one: UInt64 = 1
        _ = write(descriptor, &one, MemoryLayout<UInt64>.size)
    }

    func clear() {
        var count: UInt64 = 0
        _ = read(descriptor, &count, MemoryLayout<UInt64>.size)
    }
}
