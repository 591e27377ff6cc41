import Gateway
import RADIUS
import Settings
import Vocabulary

extension RadiusAccounting.Setup {
    /// - Parameter radius: of this configuration.
    init(_ configuration: Configuration, _ radius: Configuration.Radius) {
        self.init(
            servers: radius.servers.map { server in
                RadiusAccounting.Server(
                    name: server.name, endpoint: Endpoint(server.address, server.accountingPort),
                    secret: server.secret)
            },
            policy: .init(timeout: radius.timeout, retries: radius.retries, probe: radius.probe),
            interim: radius.interim, nasIdentifier: configuration.gateway.name,
            // A limit that is divided amongst shards is rounded up, and a reload may raise it.
            sessionLimit: max(100_000, 2 * configuration.gateway.maxSessions))
    }
}
