package import Store
package import Vocabulary

/// What a store answers. Personal columns are as the store holds them.
package struct Answer: Hashable, Sendable {
    package let columns: [Question.Column]
    package let rows: [[Datum]]
}

/// Asks a store.
///
/// - Parameters:
///   - parameters: by name, without the colon, as a person wrote them. A clear user name or
///     address is turned into what `policy` had the store keep of it; one that is copied from an
///     answer is taken as it is.
///   - policy: the one that the store was recorded under, with its key.
///   - now: what relative times count from.
/// - Throws: ``ForensicsError``.
package func ask(
    _ question: Question, parameters: [String: String], of store: StoreReader,
    policy: Disclosure, now: Timestamp
) throws(ForensicsError) -> Answer {
    let known = question.parameters.map(\.name)
    if let stranger = parameters.keys.sorted().first(where: { !known.contains($0) }) {
        throw .unknown(parameter: stranger, question: question.name, known: known)
    }
    var bindings: [String: Datum] = [:]
    for parameter in question.parameters {
        let text: String
        switch (parameters[parameter.name], parameter.requirement) {
        case (let given?, _): text = given
        case (nil, .byDefault(let value)): text = value
        case (nil, .required): throw .missing(parameter: parameter.name, question: question.name)
        case (nil, .optional):
            bindings[parameter.name] = .null
            continue
        }
        bindings[parameter.name] = try parameter.datum(of: text, under: policy, now: now)
    }
    let rows: StoreReader.Rows
    do throws(StoreError) {
        rows = try store.rows(question.sql, bindings)
    } catch { throw .store(error) }
    let promised = question.columns.map(\.name)
    guard rows.columns == promised else {
        throw .otherColumns(question: question.name, promised: promised, found: rows.columns)
    }
    return Answer(columns: question.columns, rows: rows.rows)
}

extension Question.Parameter {
    /// What to bind.
    fileprivate func datum(
        of text: String, under policy: Disclosure, now: Timestamp
    ) throws(ForensicsError) -> Datum {
        switch kind {
        case .time:
            guard let time = TimeText.parse(text, now: now) else {
                throw bad(text, TimeText.expected)
            }
            return .integer(time.nanoseconds)
        case .count:
            guard let count = Int64(text), count >= 0 else { throw bad(text, "a whole number") }
            return .integer(count)
        case .session:
            guard text.utf8.count == 36 else { throw bad(text, "a session's id of 36 characters") }
            return .text(text)
        case .identity:
            guard !text.isEmpty else { throw bad(text, "a user's name") }
            return try disclosed(text, Identity(text), .identity, policy)
        case .address:
            return try disclosed(text, IPAddress(text), .address, policy)
        case .virtualAddress:
            let address = IPAddress(text).map { VirtualAddress($0) }
            return try disclosed(text, address, .virtualAddress, policy)
        }
    }

    private func disclosed<Value: PersonalValue>(
        _ text: String, _ value: Value?, _ purpose: Purpose, _ policy: Disclosure
    ) throws(ForensicsError) -> Datum {
        let treatment = policy.treatment(of: purpose)
        if treatment == .omit { throw .omitted(parameter: name) }
        if isCopied(text, purpose, treatment) { return .text(text) }
        guard let value else { throw bad(text, "an IP address") }
        let datum = policy.disclose(value)
        if datum == .null { throw .omitted(parameter: name) }
        return datum
    }

    /// In the form that an answer shows it in.
    private func isCopied(
        _ text: String, _ purpose: Purpose, _ treatment: Disclosure.Treatment
    ) -> Bool {
        switch treatment {
        case .pseudonym: text.hasPrefix(purpose.rawValue + ":")
        case .prefix: purpose == .identity ? text.hasPrefix("@") : text.contains("/")
        case .clear, .omit: false
        }
    }

    private func bad(_ value: String, _ expected: String) -> ForensicsError {
        .badValue(parameter: name, value: value, expected: expected)
    }
}
