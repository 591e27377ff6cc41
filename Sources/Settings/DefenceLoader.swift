import Engine

extension Loader {
    /// Limits for strangers and for peers that ask too much.
    func defence(_ section: Section) -> DefencePolicy {
        func limit(_ key: String, atLeast least: Int = 1, or standard: Int) -> Int {
            section.read(key, .integer(least...1_000_000), or: standard).value
        }
        var defence = DefencePolicy()
        defence.cookiesFrom = limit("cookies_from", atLeast: 0, or: defence.cookiesFrom)
        defence.cookiesFromPerSource = limit(
            "cookies_from_per_source", atLeast: 0, or: defence.cookiesFromPerSource)
        defence.halfOpenPerSource = limit(
            "max_half_open_per_source", or: defence.halfOpenPerSource)
        defence.keyExchangesPerSecond = limit(
            "key_exchanges_per_second", or: defence.keyExchangesPerSecond)
        defence.keyExchangesPerSecondPerSource = limit(
            "key_exchanges_per_second_per_source", or: defence.keyExchangesPerSecondPerSource)
        defence.requestsPerSecond = limit("requests_per_second", or: defence.requestsPerSecond)
        defence.patience =
            section.read(
                "patience", .duration(.milliseconds(100)...Duration.seconds(60), "10s"),
                or: defence.patience
            ).value
        section.finish()
        return defence
    }
}
