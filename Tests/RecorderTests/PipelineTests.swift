import Alerts
import Clocks
import Store
import Testing
import Vocabulary

@testable import Recorder

@Suite("Pipeline")
struct PipelineTests {
    @Test("every kind of event is counted, disclosed and kept")
    func everything() {
        let world = World()
        let facts = Catalogue.events.map { Fact.event($0.example, epoch.instant) }
        world.pipeline.step(facts, at: epoch)
        world.pipeline.end(.signal, at: epoch + 1)
        let expected = Catalogue.events.map(\.name) + ["gateway_stopped"]
        #expect(world.ledger.kinds.sorted() == expected.sorted())
        #expect(world.ledger.now.isClosed)
        #expect(world.metric("ike_auth_failures_total{reason=\"wrong_credential\"}") == 1)
        #expect(world.metric("ipsec_packets_dropped_total{reason=\"replay\"}") == 3)
        #expect(world.metric("ike_handshake_duration_seconds_count{stage=\"total\"}") == 1)
        #expect(world.metric("weir_events_recorded_total") == Double(expected.count))
        #expect(world.metric("weir_alert_notifications_failed_total") == 7)
        #expect(world.metric("weir_store_size_bytes") == 4_096)
    }

    @Test("a tick reaches the ledger and the gauges")
    func tick() {
        let world = World()
        var tick = Tick()
        tick.sessions = 3
        world.pipeline.step([.tick(tick, epoch.instant)], at: epoch + 0.05)
        let ticks = world.ledger.now.ticks
        #expect(ticks.map(\.tick.sessions) == [3])
        #expect(ticks.map(\.at) == [epoch.wall])
        #expect(world.metric("ike_sessions") == 3)
    }

    @Test("a flood becomes one row with a count, and the counter stays exact")
    func flood() {
        let world = World()
        for batch in 0..<10 {
            let now = epoch + Double(batch) * 0.1
            let facts = (0..<100).map { _ in Fact.event(IKESAInitReceived.example, now.instant) }
            world.pipeline.step(facts, at: now)
        }
        #expect(world.metric("ike_sa_init_received_total{proof=\"spoofable\"}") == 1_000)
        world.pipeline.step([], at: epoch + 1)
        #expect(world.ledger.values(of: "ike_sa_init_received").map(\.last) == [.integer(1_000)])
    }

    @Test("what the queues lost is recorded and counted")
    func losses() {
        let world = World()
        world.pipeline.step([], lost: ["tick": 2, "message_dropped": 12], at: epoch)
        #expect(
            world.ledger.values(of: "events_lost") == [
                [.text("message_dropped"), .integer(12)], [.text("tick"), .integer(2)],
            ])
        #expect(world.metric("weir_events_lost_total") == 14)
    }

    @Test("a clock that jumps is recorded, and dates what follows")
    func clockStep() {
        let world = World()
        let back = ClockReading(
            instant: (epoch + 1).instant,
            wall: Timestamp(nanoseconds: epoch.wall.nanoseconds - 3_599_000_000_000))
        world.pipeline.step([.event(failure, back.instant)], at: back)
        #expect(world.ledger.values(of: "clock_stepped") == [[.integer(-3_600_000)]])
        #expect(world.ledger.now.events.last?.at == back.wall)
    }

    @Test("ten failed logins raise an alert, five quiet minutes end it")
    func alert() throws {
        let world = World()
        for number in 0..<10 {
            let now = epoch + Double(number)
            world.pipeline.step([.event(failure, now.instant)], at: now)
        }
        let active = try #require(world.pipeline.alerts.active.first)
        #expect(world.pipeline.alerts.active.count == 1)
        #expect(active.subject == "addr:tija32eidgyqbfnu")
        #expect(active.since == (epoch + 9).wall)
        #expect(world.ledger.values(of: "alert_fired").count == 1)
        let firing = "weir_alerts_firing{rule=\"authentication_failures\"}"
        #expect(world.metric(firing) == 1)
        #expect(world.metric("weir_alerts_fired_total{rule=\"authentication_failures\"}") == 1)

        let later = epoch + 400
        world.pipeline.step([.tick(Tick(), later.instant)], at: later)
        #expect(world.pipeline.alerts.active.isEmpty)
        #expect(world.metric(firing) == 0)
        #expect(world.ledger.values(of: "alert_resolved").count == 1)
        let told = world.alerts.all
        #expect(told.map(\.endsAt) == [nil, later.wall])
        #expect(told.map(\.subject) == ["addr:tija32eidgyqbfnu", "addr:tija32eidgyqbfnu"])
        #expect(told.allSatisfy { !$0.meaning.isEmpty && !$0.runbook.isEmpty })
    }
}

@Suite("A store that fails")
struct FailingLedgerTests {
    @Test("more facts than may wait lose nothing while the store takes them")
    func largeBatch() {
        let world = World()
        let facts = (0..<Backlog.limit + 5).map { _ in
            Fact.event(GatewayStarted.example, epoch.instant)
        }
        world.pipeline.step(facts, at: epoch)
        #expect(world.ledger.kinds.count == Backlog.limit + 5)
        #expect(world.ledger.now.batches == 6)
        #expect(world.metric("weir_events_lost_total") == 0)
    }

    @Test("costs nothing if it recovers in time, and is logged once")
    func recovers() {
        let world = World()
        world.ledger.fail(.full(path: "weir.db"))
        for round in 0..<20 {
            let now = epoch + Double(round) * 0.1
            world.pipeline.step([.event(failure, now.instant)], at: now)
        }
        #expect(world.pipeline.backlog.isFailing)
        #expect(world.ledger.kinds.isEmpty)
        #expect(world.metric("ike_auth_failures_total{reason=\"wrong_credential\"}") == 20)
        #expect(world.metric("weir_store_errors_total") == 2)  // one attempt a second
        #expect(world.pipeline.alerts.active.count == 1)

        world.ledger.fail(nil)
        world.pipeline.step([], at: epoch + 5)
        #expect(world.ledger.kinds.count { $0 == "ike_auth_failed" } == 20)
        #expect(world.ledger.now.batches == 1)
        #expect(world.metric("weir_events_lost_total") == 0)
        #expect(
            world.log.lines == [
                "error: the store takes no facts; they wait in memory and the gateway goes on",
                "notice: the store takes facts again",
            ])
    }

    @Test("costs the newest beyond the bound, which is recorded afterwards")
    func overflows() {
        let world = World()
        world.ledger.fail(.full(path: "weir.db"))
        let facts = (0..<Backlog.limit).map { _ in Fact.event(GatewayStarted.example, epoch.instant)
        }
        world.pipeline.step(facts, at: epoch)
        world.pipeline.step(
            [.event(ESPDropped.example, epoch.instant), .tick(Tick(), epoch.instant)],
            at: epoch + 0.1)
        world.pipeline.step([], at: epoch + 2)
        #expect(world.pipeline.backlog.count == Backlog.limit)

        world.ledger.fail(nil)
        world.pipeline.step([], at: epoch + 4)
        world.pipeline.step([], at: epoch + 5)
        #expect(world.ledger.kinds.count == Backlog.limit + 2)
        #expect(
            world.ledger.values(of: "events_lost") == [
                [.text("esp_dropped"), .integer(3)], [.text("tick"), .integer(1)],
            ])
    }

    @Test("a log that a reader pins is told at 64 MiB, at each doubling, and anew once it shrank")
    func pinnedLog() {
        let world = World()
        let sizes: [UInt64] = [4, 63, 64, 65, 127, 300, 400, 16, 70]
        for (round, mebibytes) in sizes.enumerated() {
            world.ledger.setLogBytes(mebibytes << 20)
            world.pipeline.step([], at: epoch + Double(round))
        }
        world.pipeline.step([], at: epoch + 20)
        #expect(
            world.ledger.values(of: "store_log_pinned")
                == [64, 300, 70].map { [.integer($0 << 20)] })
        #expect(world.metric("weir_store_log_bytes") == Double(70 << 20))
        #expect(world.log.lines.count { $0.hasPrefix("warning: a reader keeps") } == 3)
    }

    @Test("each reason that the store takes nothing is logged once")
    func reasons() {
        let world = World()
        let reasons: [StoreError] = [
            .full(path: "p"), .full(path: "p"),
            .logPinned(path: "p", limit: 1, readers: ["process 1"]),
            .logPinned(path: "p", limit: 1, readers: []),
        ]
        for (round, reason) in reasons.enumerated() {
            world.ledger.fail(reason)
            world.pipeline.step([.event(failure, epoch.instant)], at: epoch + Double(round) * 2)
        }
        world.ledger.fail(nil)
        world.pipeline.step([], at: epoch + 10)
        let failed =
            "error: the store takes no facts; they wait in memory and the gateway goes on"
        #expect(world.log.lines == [failed, failed, "notice: the store takes facts again"])
    }

    @Test("what can't be deleted is counted, and logged once")
    func retention() {
        let world = World()
        for round in 0..<4 {
            if round > 0 { world.ledger.failToDelete() }
            world.pipeline.step([], at: epoch + Double(round))
        }
        #expect(world.metric("weir_store_retention_errors_total") == 3)
        #expect(
            world.log.lines == [
                "error: the store can't delete what is too old; it is tried again at each tick"
            ])
    }

    @Test("does not let one kind that it will never take hold up the rest")
    func unknownKind() {
        let world = World()
        world.ledger.fail(.unknownEvent(kind: "peer_dead"))
        world.pipeline.step(
            [.event(PeerDead.example, epoch.instant), .event(failure, epoch.instant)], at: epoch)
        world.pipeline.step([], at: epoch + 0.1)
        world.pipeline.step([], at: epoch + 0.2)
        #expect(world.ledger.kinds == ["ike_auth_failed", "events_lost"])
        #expect(world.ledger.values(of: "events_lost") == [[.text("peer_dead"), .integer(1)]])
    }

    @Test("still lets the recorder end, and says what was lost")
    func atEnd() {
        let world = World()
        world.ledger.fail(.full(path: "weir.db"))
        world.pipeline.step([.event(failure, epoch.instant)], at: epoch)
        world.pipeline.end(.signal, at: epoch + 0.1)
        #expect(world.ledger.now.isClosed)
        #expect(
            world.log.lines.last
                == "error: facts are lost, because the store did not take them before the end")
    }
}
