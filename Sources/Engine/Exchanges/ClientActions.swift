package import ESP
package import Vocabulary

// What an administrator or a client's driver does with a session that is up.

extension Engine {
    /// Ends a session that ``connect(_:on:natPath:at:_:)`` began.
    package func disconnect(
        _ handle: ConnectionHandle, at now: Instant, _ output: inout Output
    ) {
        guard let session = session(of: handle), let sa = sas[session.ikeSPI] else { return }
        end(sa, .deletedByAdmin, tellingPeer: true, at: now, &output)
    }

    package func rekeyChild(_ handle: ConnectionHandle, at now: Instant, _ output: inout Output) {
        if let session = session(of: handle) { rekeyChild(of: session.id, at: now, &output) }
    }

    /// Replaces the newest Child SA of a session.
    package func rekeyChild(of session: SessionID, at now: Instant, _ output: inout Output) {
        guard let session = sessions[session], let sa = sas[session.ikeSPI],
            let child = session.children.last(where: \.isInstalled)
        else { return }
        request(.rekeyChild(child.id), of: sa, at: now, &output)
        schedule(sa)
    }

    package func rekeyIKE(_ handle: ConnectionHandle, at now: Instant, _ output: inout Output) {
        if let session = session(of: handle) { rekeyIKE(of: session.id, at: now, &output) }
    }

    /// Replaces the IKE SA of a session.
    package func rekeyIKE(of session: SessionID, at now: Instant, _ output: inout Output) {
        guard let session = sessions[session], let sa = sas[session.ikeSPI] else { return }
        request(.rekeyIKE, of: sa, at: now, &output)
        schedule(sa)
    }

    /// Asks for one more Child SA, to `remote`.
    package func createChild(
        _ handle: ConnectionHandle, to remote: [Selector], at now: Instant,
        _ output: inout Output
    ) {
        guard let session = session(of: handle), let sa = sas[session.ikeSPI],
            let suite = session.connection.espSuites.first
        else { return }
        let shape = ChildShape(
            suite: suite, localSelectors: session.local, remoteSelectors: remote)
        request(.createChild(shape), of: sa, at: now, &output)
        schedule(sa)
    }

    package func deleteChild(
        _ handle: ConnectionHandle, at now: Instant, _ output: inout Output
    ) {
        if let session = session(of: handle) { deleteChild(of: session.id, at: now, &output) }
    }

    /// Deletes the oldest Child SA of a session.
    package func deleteChild(of session: SessionID, at now: Instant, _ output: inout Output) {
        guard let session = sessions[session], let sa = sas[session.ikeSPI],
            let child = session.children.first(where: \.isInstalled)
        else { return }
        discard(child, .deletedByAdmin, of: sa, session, at: now, &output)
        scheduleChildren(of: sa)
    }

    /// Our own address has changed; what we send comes from there from now on.
    package func move(_ handle: ConnectionHandle, toLocal local: Endpoint, at now: Instant) {
        guard let session = session(of: handle), let sa = sas[session.ikeSPI] else { return }
        sa.path.local = local
        session.path = sa.path
        for child in session.children { dataplane.move(child.id, to: sa.path) }
    }

    func session(of handle: ConnectionHandle) -> Session? {
        sessions.values.first { $0.handle == handle }
    }
}
