import Vocabulary
import Wire

extension AuthFailure {
    /// What an error notify in IKE_AUTH's response means.
    init(_ kind: NotifyPayload.Kind) {
        switch kind {
        case .noProposalChosen: self = .noProposalChosen
        case .tsUnacceptable: self = .tsUnacceptable
        case .internalAddressFailure: self = .internalAddressFailure
        case .failedCPRequired: self = .failedCPRequired
        case .noAdditionalSAs: self = .sessionLimit
        case .invalidSyntax: self = .invalidSyntax
        case .unexpectedNATDetected: self = .unexpectedNAT
        case .unsupportedCriticalPayload: self = .unsupportedCriticalPayload
        default: self = .wrongCredential
        }
    }
}
