import ESP
import Engine
import Synchronization
import Vocabulary

// What other threads ask of a shard: it answers between two turns of its loop.

extension Shard {
    func answerLetters() {
        let news = mailbox.take()
        stopping = news.stopWanted
        for replacement in news.replacements {
            engine.supersede(replacement.session, replacement.manner, at: now, &output)
        }
        deliver()
        for request in news.handshakes { queue(request) }
        for letter in news.letters { letter.settle(answer(to: letter.question)) }
    }

    private func answer(to question: Gateway.Question) -> Gateway.Answer {
        switch question {
        case .sessions: return .sessions(engine.sessionSummaries())
        case .firstSessions(let limit, let order, let descending):
            return .sessions(
                engine.sessionSummaries(first: limit, by: order, descending: descending))
        case .sessionNames: return .sessionNames(engine.sessionNames())
        case .sessionsOf(let names): return .sessions(engine.sessionSummaries(of: names))
        case .status: return .status(status())
        case .terminate(let session):
            let found = engine.terminate(session, at: now, &output)
            deliver()
            return .terminated(found)
        case .drain(let order):
            engine.drain(order, at: now, &output)
            return drainAnswer()
        case .cancelDrain:
            _ = engine.cancelDrain(&output)
            return drainAnswer()
        case .adopt(let policy, let routes):
            do throws(Gateway.Refusal) {
                try adopt(policy, routes)
                return .adopted
            } catch {
                return .notAdopted(error)
            }
        }
    }

    private func drainAnswer() -> Gateway.Answer {
        deliver()
        let progress = engine.drainProgress(at: now)
        mailbox.isDraining.store(progress != nil, ordering: .relaxed)
        return .drain(progress)
    }

    /// New routes first, old ones last: no address that is lent is without one in between.
    private func adopt(
        _ policy: EnginePolicy, _ routes: [[InnerPrefix]]
    ) throws(Gateway.Refusal) {
        let before = inner.map(\.routes)
        do throws(GatewayError) {
            for (network, more) in zip(inner, routes) {
                try network.route(to: network.routes.union(more))
            }
        } catch {
            route(to: before)
            throw .route(error)
        }
        do throws(PolicyRefusal) {
            try engine.adopt(policy)
        } catch {
            route(to: before)
            throw .policy(error)
        }
        route(to: routes.map(Set.init))
    }

    private func route(to routes: [Set<InnerPrefix>]) {
        for (network, prefixes) in zip(inner, routes) { try? network.route(to: prefixes) }
    }

    private func status() -> GatewayStatus {
        let tick = figures()
        return GatewayStatus(
            started: started, listen: listen, sessions: tick.sessions, halfOpen: tick.halfOpen,
            childSAs: tick.childSAs, traffic: tick.traffic, keepalives: keepalives,
            unsent: outbox.failures &+ outbox.unroutable,
            innerDropped: inner.reduce(0) { $0 &+ $1.dropped },
            innerUp: innerUp.allSatisfy { $0 }, drain: engine.drainProgress(at: now))
    }
}
