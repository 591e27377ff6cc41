package import Store
import Vocabulary

/// Why a question has no answer. Its description is one line that says what, where, and what to
/// do next.
package enum ForensicsError: Error, Hashable, Sendable {
    /// A file of the library can't be read; `reason` is the operating system's.
    case unreadable(path: String, reason: String)
    /// A question's file is not as it has to be.
    case malformed(question: String, line: Int, reason: String)
    /// The question needs this and did not get it.
    case missing(parameter: String, question: String)
    /// The question knows no such parameter; `known` are its own.
    case unknown(parameter: String, question: String, known: [String])
    /// The value is not what the parameter takes.
    case badValue(parameter: String, value: String, expected: String)
    /// The privacy policy keeps this out of the store, so that nothing can be found by it.
    case omitted(parameter: String)
    /// The answer's columns are not the ones that the question's header promises.
    case otherColumns(question: String, promised: [String], found: [String])
    case store(StoreError)
}

extension ForensicsError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .unreadable(let path, let reason):
            "questions \(shown(path)): \(reason); name the folder of Weir's queries"
        case .malformed(let question, let line, let reason):
            "question \(shown(question)), line \(line): \(shown(reason)); correct the file"
        case .missing(let parameter, let question):
            "question \(shown(question)): --\(shown(parameter)) is missing; add it"
        case .unknown(let parameter, let question, let known):
            "question \(shown(question)): no parameter --\(shown(parameter)); it takes "
                + (known.isEmpty ? "none" : known.map { "--\(shown($0))" }.joined(separator: ", "))
        case .badValue(let parameter, let value, let expected):
            "--\(shown(parameter)) \(shown(value)): not \(expected)"
        case .omitted(let parameter):
            "--\(shown(parameter)): the privacy policy omits it from the store; ask by session"
        case .otherColumns(let question, let promised, let found):
            "question \(shown(question)): its header promises \(promised.joined(separator: ", "))"
                + " and it gives \(shown(found.joined(separator: ", "))); correct the file"
        case .store(let error): error.description
        }
    }

    private func shown(_ text: String) -> String { escaped(Array(text.utf8)) }
}
