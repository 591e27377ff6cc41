import CSQLite

/// Sums up rows for SQL: one is made for each group of them.
package protocol Aggregate: AnyObject {
    func take(_ arguments: [Value])
    func result() -> Value
}

extension Connection {
    /// Gives this connection's SQL a function whose result depends on its arguments only.
    package func register(
        function name: String, arguments: Int32, _ body: @escaping ([Value]) -> Value
    ) throws(SQLiteError) {
        let box = Unmanaged.passRetained(FunctionBox(body)).toOpaque()
        let code = sqlite3_create_function_v2(
            try handle.open(), name, arguments, SQLITE_UTF8 | SQLITE_DETERMINISTIC, box,
            { context, count, values in
                guard let context, let box = sqlite3_user_data(context) else { return }
                let body = Unmanaged<FunctionBox>.fromOpaque(box).takeUnretainedValue().body
                body(Value.list(count, values)).give(to: context)
            }, nil, nil
        ) { box in
            if let box { Unmanaged<FunctionBox>.fromOpaque(box).release() }
        }
        guard code == SQLITE_OK else { throw handle.error(code, name) }
    }

    /// Gives this connection's SQL an aggregate function.
    package func register(
        aggregate name: String, arguments: Int32, _ make: @escaping () -> any Aggregate
    ) throws(SQLiteError) {
        let box = Unmanaged.passRetained(AggregateBox(make)).toOpaque()
        let code = sqlite3_create_function_v2(
            try handle.open(), name, arguments, SQLITE_UTF8 | SQLITE_DETERMINISTIC, box, nil,
            { context, count, values in
                aggregate(context, isNew: true)?.takeUnretainedValue().aggregate
                    .take(Value.list(count, values))
            },
            { context in
                guard let context else { return }
                guard let running = aggregate(context, isNew: false) else {
                    // No row came.
                    guard let box = sqlite3_user_data(context) else { return }
                    let make = Unmanaged<AggregateBox>.fromOpaque(box).takeUnretainedValue().make
                    return make().result().give(to: context)
                }
                running.takeRetainedValue().aggregate.result().give(to: context)
            }
        ) { box in
            if let box { Unmanaged<AggregateBox>.fromOpaque(box).release() }
        }
        guard code == SQLITE_OK else { throw handle.error(code, name) }
    }
}

private final class FunctionBox {
    let body: ([Value]) -> Value
    init(_ body: @escaping ([Value]) -> Value) { self.body = body }
}

private final class AggregateBox {
    let make: () -> any Aggregate
    init(_ make: @escaping () -> any Aggregate) { self.make = make }
}

private final class RunningAggregate {
    let aggregate: any Aggregate
    init(_ aggregate: any Aggregate) { self.aggregate = aggregate }
}

/// The aggregate under way: SQLite keeps a pointer to it, which is retained until its result is
/// taken. It takes the result of each that it began.
private func aggregate(
    _ context: OpaquePointer?, isNew: Bool
) -> Unmanaged<RunningAggregate>? {
    let size = Int32(MemoryLayout<UnsafeMutableRawPointer?>.size)
    guard let context, let memory = sqlite3_aggregate_context(context, isNew ? size : 0) else {
        return nil
    }
    let place = memory.assumingMemoryBound(to: UnsafeMutableRawPointer?.self)
    if let running = place.pointee { return Unmanaged.fromOpaque(running) }
    guard isNew, let box = sqlite3_user_data(context) else { return nil }
    let make = Unmanaged<AggregateBox>.fromOpaque(box).takeUnretainedValue().make
    let running = Unmanaged.passRetained(RunningAggregate(make()))
    place.pointee = running.toOpaque()
    return running
}

extension Value {
    fileprivate static func list(
        _ count: Int32, _ values: UnsafeMutablePointer<OpaquePointer?>?
    ) -> [Value] {
        guard let values else { return [] }
        return (0..<Int(count)).map { Value(argument: values[$0]) }
    }
}
