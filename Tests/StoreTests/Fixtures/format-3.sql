PRAGMA application_id = 1466263922; PRAGMA user_version = 3;
PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE IF NOT EXISTS "runs" ("run" INTEGER PRIMARY KEY, "started_ns" INTEGER NOT NULL, "boot_id" TEXT NOT NULL, "version" TEXT NOT NULL, "last_ns" INTEGER NOT NULL, "last_mono_ns" INTEGER NOT NULL, "first_id" INTEGER NOT NULL, "settled" INTEGER NOT NULL) STRICT;
INSERT INTO runs VALUES(1,1795000000000000000,'old','0.1.0',1795009000000000000,9000000000000,1,1);
CREATE TABLE IF NOT EXISTS "holds" ("id" INTEGER PRIMARY KEY, "placed_ns" INTEGER NOT NULL, "released_ns" INTEGER, "session" TEXT, "identity" TEXT, "since_ns" INTEGER, "until_ns" INTEGER, "reason" TEXT NOT NULL, "recorded" INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS "ticks" ("run" INTEGER NOT NULL, "at_ns" INTEGER NOT NULL, "mono_ns" INTEGER NOT NULL, "sessions" INTEGER NOT NULL, "half_open" INTEGER NOT NULL, "child_sas" INTEGER NOT NULL, "session_limit" INTEGER NOT NULL, "bytes_in" INTEGER NOT NULL, "packets_in" INTEGER NOT NULL, "bytes_out" INTEGER NOT NULL, "packets_out" INTEGER NOT NULL, "messages_received" INTEGER NOT NULL, "messages_sent" INTEGER NOT NULL, "retransmissions_sent" INTEGER NOT NULL, "active_child_sas" INTEGER, PRIMARY KEY (at_ns, run)) STRICT, WITHOUT ROWID;
INSERT INTO ticks VALUES(1,1795000010000000000,10000000000,2,0,2,0,0,0,0,0,0,0,0,NULL);
INSERT INTO ticks VALUES(1,1795000020000000000,20000000000,2,0,2,0,0,0,0,0,0,0,0,NULL);
INSERT INTO ticks VALUES(1,1795003000000000000,3000000000000,2,0,2,0,0,0,0,0,0,0,0,NULL);
INSERT INTO ticks VALUES(1,1795003300000000000,3300000000000,2,0,2,0,0,0,0,0,0,0,0,NULL);
INSERT INTO ticks VALUES(1,1795008000000000000,8000000000000,2,0,2,0,0,0,0,0,0,0,0,NULL);
CREATE TABLE IF NOT EXISTS "pool_samples" ("run" INTEGER NOT NULL, "at_ns" INTEGER NOT NULL, "pool" TEXT NOT NULL, "size" INTEGER NOT NULL, "used" INTEGER NOT NULL, PRIMARY KEY (at_ns, run, pool)) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS "rollup_hours" ("hour" INTEGER PRIMARY KEY, "state" INTEGER NOT NULL) STRICT;
INSERT INTO rollup_hours VALUES(498611,0);
INSERT INTO rollup_hours VALUES(498612,0);
INSERT INTO rollup_hours VALUES(498613,0);
CREATE TABLE IF NOT EXISTS "tick_minutes" ("start_ns" INTEGER NOT NULL, "run" INTEGER NOT NULL, "ticks" INTEGER NOT NULL, "first_ns" INTEGER NOT NULL, "last_ns" INTEGER NOT NULL, "mono_first_ns" INTEGER NOT NULL, "mono_ns" INTEGER NOT NULL, "sessions_min" INTEGER NOT NULL, "sessions_max" INTEGER NOT NULL, "sessions_sum" INTEGER NOT NULL, "sessions_last" INTEGER NOT NULL, "half_open_min" INTEGER NOT NULL, "half_open_max" INTEGER NOT NULL, "half_open_sum" INTEGER NOT NULL, "half_open_last" INTEGER NOT NULL, "child_sas_min" INTEGER NOT NULL, "child_sas_max" INTEGER NOT NULL, "child_sas_sum" INTEGER NOT NULL, "child_sas_last" INTEGER NOT NULL, "active_child_sas_min" INTEGER NOT NULL, "active_child_sas_max" INTEGER NOT NULL, "active_child_sas_sum" INTEGER NOT NULL, "active_child_sas_last" INTEGER NOT NULL, "sessions_peak_ns" INTEGER NOT NULL, "session_limit" INTEGER NOT NULL, "bytes_in_min" INTEGER NOT NULL, "bytes_in_max" INTEGER NOT NULL, "packets_in_min" INTEGER NOT NULL, "packets_in_max" INTEGER NOT NULL, "bytes_out_min" INTEGER NOT NULL, "bytes_out_max" INTEGER NOT NULL, "packets_out_min" INTEGER NOT NULL, "packets_out_max" INTEGER NOT NULL, "messages_received_min" INTEGER NOT NULL, "messages_received_max" INTEGER NOT NULL, "messages_sent_min" INTEGER NOT NULL, "messages_sent_max" INTEGER NOT NULL, "retransmissions_sent_min" INTEGER NOT NULL, "retransmissions_sent_max" INTEGER NOT NULL, "receive_peak" REAL, "receive_peak_ns" INTEGER, "transmit_peak" REAL, "transmit_peak_ns" INTEGER, "silence_ns" INTEGER NOT NULL, "silence_from_ns" INTEGER NOT NULL, PRIMARY KEY (start_ns, run)) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS "tick_hours" ("start_ns" INTEGER NOT NULL, "run" INTEGER NOT NULL, "ticks" INTEGER NOT NULL, "first_ns" INTEGER NOT NULL, "last_ns" INTEGER NOT NULL, "mono_first_ns" INTEGER NOT NULL, "mono_ns" INTEGER NOT NULL, "sessions_min" INTEGER NOT NULL, "sessions_max" INTEGER NOT NULL, "sessions_sum" INTEGER NOT NULL, "sessions_last" INTEGER NOT NULL, "half_open_min" INTEGER NOT NULL, "half_open_max" INTEGER NOT NULL, "half_open_sum" INTEGER NOT NULL, "half_open_last" INTEGER NOT NULL, "child_sas_min" INTEGER NOT NULL, "child_sas_max" INTEGER NOT NULL, "child_sas_sum" INTEGER NOT NULL, "child_sas_last" INTEGER NOT NULL, "active_child_sas_min" INTEGER NOT NULL, "active_child_sas_max" INTEGER NOT NULL, "active_child_sas_sum" INTEGER NOT NULL, "active_child_sas_last" INTEGER NOT NULL, "sessions_peak_ns" INTEGER NOT NULL, "session_limit" INTEGER NOT NULL, "bytes_in_min" INTEGER NOT NULL, "bytes_in_max" INTEGER NOT NULL, "packets_in_min" INTEGER NOT NULL, "packets_in_max" INTEGER NOT NULL, "bytes_out_min" INTEGER NOT NULL, "bytes_out_max" INTEGER NOT NULL, "packets_out_min" INTEGER NOT NULL, "packets_out_max" INTEGER NOT NULL, "messages_received_min" INTEGER NOT NULL, "messages_received_max" INTEGER NOT NULL, "messages_sent_min" INTEGER NOT NULL, "messages_sent_max" INTEGER NOT NULL, "retransmissions_sent_min" INTEGER NOT NULL, "retransmissions_sent_max" INTEGER NOT NULL, "receive_peak" REAL, "receive_peak_ns" INTEGER, "transmit_peak" REAL, "transmit_peak_ns" INTEGER, "silence_ns" INTEGER NOT NULL, "silence_from_ns" INTEGER NOT NULL, PRIMARY KEY (start_ns, run)) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS "pool_minutes" ("start_ns" INTEGER NOT NULL, "run" INTEGER NOT NULL, "pool" TEXT NOT NULL, "samples" INTEGER NOT NULL, "last_ns" INTEGER NOT NULL, "size" INTEGER NOT NULL, "used_min" INTEGER NOT NULL, "used_max" INTEGER NOT NULL, "used_sum" INTEGER NOT NULL, "used_last" INTEGER NOT NULL, "used_peak_ns" INTEGER NOT NULL, PRIMARY KEY (start_ns, run, pool)) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS "pool_hours" ("start_ns" INTEGER NOT NULL, "run" INTEGER NOT NULL, "pool" TEXT NOT NULL, "samples" INTEGER NOT NULL, "last_ns" INTEGER NOT NULL, "size" INTEGER NOT NULL, "used_min" INTEGER NOT NULL, "used_max" INTEGER NOT NULL, "used_sum" INTEGER NOT NULL, "used_last" INTEGER NOT NULL, "used_peak_ns" INTEGER NOT NULL, PRIMARY KEY (start_ns, run, pool)) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS "sampled_sessions" ("id" INTEGER PRIMARY KEY, "session" TEXT NOT NULL UNIQUE) STRICT;
INSERT INTO sampled_sessions VALUES(1,'019ab3c4-5d6e-7f80-9a1b-2c3d4e5f6071');
INSERT INTO sampled_sessions VALUES(2,'019ab3c4-5d6e-7f80-9a1b-2c3d4e5f6072');
CREATE TABLE IF NOT EXISTS "series" ("id" INTEGER PRIMARY KEY, "run" INTEGER NOT NULL, "child" INTEGER NOT NULL, "session" INTEGER NOT NULL) STRICT;
INSERT INTO series VALUES(1,1,1,1);
INSERT INTO series VALUES(2,1,2,2);
CREATE TABLE IF NOT EXISTS "series_last" ("series" INTEGER PRIMARY KEY, "bytes_in" INTEGER NOT NULL, "packets_in" INTEGER NOT NULL, "bytes_out" INTEGER NOT NULL, "packets_out" INTEGER NOT NULL) STRICT;
INSERT INTO series_last VALUES(2,4000,40,40000,80);
CREATE TABLE IF NOT EXISTS "chunks" ("id" INTEGER PRIMARY KEY, "series" INTEGER NOT NULL, "data" BLOB NOT NULL) STRICT;
INSERT INTO chunks VALUES(1,1,X'0101040509949becaf0dc82e0b000301010d00010200020600dccc0034efab8688744103a1c080741040e87cf13195f0ca189ea4');
INSERT INTO chunks VALUES(2,2,X'0101040509949becaf0dc82e0b000501010d00010200020600dccc0034efab86881d08100e8380801d020403a0f9b130c57c00eb330b90');
CREATE TABLE IF NOT EXISTS "folds" ("first_chunk" INTEGER PRIMARY KEY, "last_chunk" INTEGER NOT NULL, "first_s" INTEGER NOT NULL, "last_s" INTEGER NOT NULL) STRICT;
INSERT INTO folds VALUES(1,2,1795000010,1795008001);
CREATE TABLE IF NOT EXISTS "journal" ("id" INTEGER PRIMARY KEY, "run" INTEGER NOT NULL, "at_ns" INTEGER NOT NULL, "data" BLOB NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS "imports" ("id" INTEGER PRIMARY KEY, "name" TEXT NOT NULL, "bytes" INTEGER NOT NULL, "lines" INTEGER NOT NULL, "head" INTEGER NOT NULL, "fingerprint" INTEGER NOT NULL, "finished" INTEGER NOT NULL) STRICT;
INSERT INTO imports VALUES(1,'old.ndjson',4996,22,-7325148407702717078,2132362610087350000,1);
CREATE TABLE IF NOT EXISTS "imported_runs" ("import" INTEGER NOT NULL, "file_run" INTEGER NOT NULL, "run" INTEGER NOT NULL, PRIMARY KEY (import, file_run)) STRICT, WITHOUT ROWID;
INSERT INTO imported_runs VALUES(1,1,1);
CREATE TABLE IF NOT EXISTS "imported_metrics" ("id" INTEGER PRIMARY KEY, "name" TEXT NOT NULL UNIQUE, "type" TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS "imported_labels" ("id" INTEGER PRIMARY KEY, "labels" TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE IF NOT EXISTS "imported_groups" ("id" INTEGER PRIMARY KEY, "labels" INTEGER NOT NULL, "metrics" TEXT NOT NULL, UNIQUE (labels, metrics)) STRICT;
CREATE TABLE IF NOT EXISTS "imported_chunks" ("id" INTEGER PRIMARY KEY, "grouping" INTEGER NOT NULL, "first_s" INTEGER NOT NULL, "last_s" INTEGER NOT NULL, "scales" TEXT NOT NULL, "data" BLOB NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS "staged_samples" ("labels" INTEGER NOT NULL, "at_ns" INTEGER NOT NULL, "metric" INTEGER NOT NULL, "scale" INTEGER NOT NULL, "value" INTEGER NOT NULL, PRIMARY KEY (labels, at_ns, metric)) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS "ike_sa_init_received" ("id" INTEGER PRIMARY KEY, "run" INTEGER NOT NULL, "at_ns" INTEGER NOT NULL, "mono_ns" INTEGER NOT NULL, "proof" TEXT, "source" TEXT, "source_bits" INTEGER, "count" INTEGER) STRICT;
CREATE TABLE IF NOT EXISTS "ike_sa_init_rejected" ("id" INTEGER PRIMARY KEY, "run" INTEGER NOT NULL, "at_ns" INTEGER NOT NULL, "mono_ns" INTEGER NOT NULL, "reason" TEXT, "proof" TEXT, "source" TEXT, "source_bits" INTEGER, "count" INTEGER) STRICT;
CREATE TABLE IF NOT EXISTS "cookie_challenged" ("id" INTEGER PRIMARY KEY, "run" INTEGER NOT NULL, "at_ns" INTEGER NOT NULL, "mono_ns" INTEGER NOT NULL, "cause" TEXT, "source" TEXT, "source_bits" INTEGER, "count" INTEGER) STRICT;
CREATE TABLE IF NOT EXISTS "ike_session_resume_received" ("id" INTEGER PRIMARY KEY, "run" INTEGER NOT NULL, "at_ns" INTEGER NOT NULL, "mono_ns" INTEGER NOT NULL, "proof" TEXT, "source" TEXT, "source_bits" INTEGER, "count" INTEGER) STRICT;
CREATE TABLE IF NOT EXISTS "ticket_refused" ("id" INTEGER PRIMARY KEY, "run" INTEGER NOT NULL, "at_ns" INTEGER NOT NULL, "mono_ns" INTEGER NOT NULL, "reason" TEXT, "proof" TEXT, "source" TEXT, "source_bits" INTEGER, "count" INTEGER) STRICT;
CREATE TABLE IF NOT EXISTS "ike_auth_failed" ("id" INTEGER PRIMARY KEY, "run" INTEGER NOT NULL, "at_ns" INTEGER NOT NULL, "mono_ns" INTEGER NOT NULL, "reason" TEXT, "method" TEXT, "proof" TEXT, "identity" TEXT, "source" TEXT, "connection" TEXT) STRICT;
CREATE TABLE IF NOT EXISTS "session_established" ("id" INTEGER PRIMARY KEY, "run" INTEGER NOT NULL, "at_ns" INTEGER NOT NULL, "mono_ns" INTEGER NOT NULL, "session" TEXT, "connection" TEXT, "identity" TEXT, "source" TEXT, "virtual_address" TEXT, "method" TEXT, "ike_suite" TEXT, "esp_suite" TEXT, "nat" TEXT, "initiator_spi" TEXT, "responder_spi" TEXT, "init_us" INTEGER, "auth_us" INTEGER, "total_us" INTEGER, "retransmissions" INTEGER, "replaces" TEXT, "resumes" TEXT) STRICT;
INSERT INTO session_established VALUES(1,1,1795000001000000000,1,'019ab3c4-5d6e-7f80-9a1b-2c3d4e5f6071','staff',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,20000,NULL,NULL,NULL);
INSERT INTO session_established VALUES(5,1,1795000001000000000,1,'019ab3c4-5d6e-7f80-9a1b-2c3d4e5f6072','staff',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,40000,NULL,NULL,NULL);
CREATE TABLE IF NOT EXISTS "session_closed" ("id" INTEGER PRIMARY KEY, "run" INTEGER NOT NULL, "at_ns" INTEGER NOT NULL, "mono_ns" INTEGER NOT NULL, "session" TEXT, "reason" TEXT, "duration_ms" INTEGER, "bytes_in" INTEGER, "packets_in" INTEGER, "bytes_out" INTEGER, "packets_out" INTEGER, "uncertainty_ms" INTEGER) STRICT;
INSERT INTO session_closed VALUES(4,1,1795008100000000000,8100000000000,'019ab3c4-5d6e-7f80-9a1b-2c3d4e5f6071','deleted_by_peer',8099000,2500,25,25000,50,NULL);
CREATE TABLE IF NOT EXISTS "ticket_issued" ("id" INTEGER PRIMARY KEY, "run" INTEGER NOT NULL, "at_ns" INTEGER NOT NULL, "mono_ns" INTEGER NOT NULL, "session" TEXT, "lifetime_seconds" INTEGER) STRICT;
CREATE TABLE IF NOT EXISTS "ike_sa_rekeyed" ("id" INTEGER PRIMARY KEY, "run" INTEGER NOT NULL, "at_ns" INTEGER NOT NULL, "mono_ns" INTEGER NOT NULL, "session" TEXT, "initiator" TEXT, "retired_spi" TEXT, "successor_spi" TEXT) STRICT;
CREATE TABLE IF NOT EXISTS "ike_sa_closed" ("id" INTEGER PRIMARY KEY, "run" INTEGER NOT NULL, "at_ns" INTEGER NOT NULL, "mono_ns" INTEGER NOT NULL, "session" TEXT, "reason" TEXT, "spi" TEXT, "age_ms" INTEGER) STRICT;
CREATE TABLE IF NOT EXISTS "child_sa_installed" ("id" INTEGER PRIMARY KEY, "run" INTEGER NOT NULL, "at_ns" INTEGER NOT NULL, "mono_ns" INTEGER NOT NULL, "session" TEXT, "child" INTEGER, "inbound_spi" TEXT, "outbound_spi" TEXT, "suite" TEXT, "lifetime_ms" INTEGER) STRICT;
INSERT INTO child_sa_installed VALUES(2,1,1795000001000000000,1,'019ab3c4-5d6e-7f80-9a1b-2c3d4e5f6071',1,'00000001','00000002','aes128gcm16',1);
INSERT INTO child_sa_installed VALUES(6,1,1795000001000000000,1,'019ab3c4-5d6e-7f80-9a1b-2c3d4e5f6072',2,'00000001','00000002','aes128gcm16',1);
CREATE TABLE IF NOT EXISTS "child_sa_rekeyed" ("id" INTEGER PRIMARY KEY, "run" INTEGER NOT NULL, "at_ns" INTEGER NOT NULL, "mono_ns" INTEGER NOT NULL, "session" TEXT, "retired" INTEGER, "successor" INTEGER, "initiator" TEXT, "age_ms" INTEGER) STRICT;
CREATE TABLE IF NOT EXISTS "child_sa_closed" ("id" INTEGER PRIMARY KEY, "run" INTEGER NOT NULL, "at_ns" INTEGER NOT NULL, "mono_ns" INTEGER NOT NULL, "session" TEXT, "child" INTEGER, "reason" TEXT, "bytes_in" INTEGER, "packets_in" INTEGER, "bytes_out" INTEGER, "packets_out" INTEGER, "uncertainty_ms" INTEGER) STRICT;
INSERT INTO child_sa_closed VALUES(3,1,1795008100000000000,8100000000000,'019ab3c4-5d6e-7f80-9a1b-2c3d4e5f6071',1,'session_closed',2500,25,25000,50,NULL);
CREATE TABLE IF NOT EXISTS "weak_suite_chosen" ("id" INTEGER PRIMARY KEY, "run" INTEGER NOT NULL, "at_ns" INTEGER NOT NULL, "mono_ns" INTEGER NOT NULL, "session" TEXT, "sa" TEXT, "algorithm" TEXT, "suite" TEXT) STRICT;
CREATE TABLE IF NOT EXISTS "weak_suite_refused" ("id" INTEGER PRIMARY KEY, "run" INTEGER NOT NULL, "at_ns" INTEGER NOT NULL, "mono_ns" INTEGER NOT NULL, "sa" TEXT, "algorithm" TEXT, "source" TEXT, "source_bits" INTEGER, "count" INTEGER) STRICT;
CREATE TABLE IF NOT EXISTS "create_child_sa_refused" ("id" INTEGER PRIMARY KEY, "run" INTEGER NOT NULL, "at_ns" INTEGER NOT NULL, "mono_ns" INTEGER NOT NULL, "session" TEXT, "initiator" TEXT, "reason" TEXT, "count" INTEGER) STRICT;
CREATE TABLE IF NOT EXISTS "rekey_collision" ("id" INTEGER PRIMARY KEY, "run" INTEGER NOT NULL, "at_ns" INTEGER NOT NULL, "mono_ns" INTEGER NOT NULL, "session" TEXT, "kind" TEXT, "survivor" TEXT) STRICT;
CREATE TABLE IF NOT EXISTS "address_changed" ("id" INTEGER PRIMARY KEY, "run" INTEGER NOT NULL, "at_ns" INTEGER NOT NULL, "mono_ns" INTEGER NOT NULL, "session" TEXT, "cause" TEXT, "from_address" TEXT, "to_address" TEXT) STRICT;
CREATE TABLE IF NOT EXISTS "lease_granted" ("id" INTEGER PRIMARY KEY, "run" INTEGER NOT NULL, "at_ns" INTEGER NOT NULL, "mono_ns" INTEGER NOT NULL, "session" TEXT, "pool" TEXT, "identity" TEXT, "address" TEXT) STRICT;
CREATE TABLE IF NOT EXISTS "lease_released" ("id" INTEGER PRIMARY KEY, "run" INTEGER NOT NULL, "at_ns" INTEGER NOT NULL, "mono_ns" INTEGER NOT NULL, "session" TEXT, "pool" TEXT, "uncertainty_ms" INTEGER) STRICT;
CREATE TABLE IF NOT EXISTS "pool_exhausted" ("id" INTEGER PRIMARY KEY, "run" INTEGER NOT NULL, "at_ns" INTEGER NOT NULL, "mono_ns" INTEGER NOT NULL, "pool" TEXT, "size" INTEGER) STRICT;
CREATE TABLE IF NOT EXISTS "peer_dead" ("id" INTEGER PRIMARY KEY, "run" INTEGER NOT NULL, "at_ns" INTEGER NOT NULL, "mono_ns" INTEGER NOT NULL, "session" TEXT, "retransmissions" INTEGER) STRICT;
CREATE TABLE IF NOT EXISTS "message_dropped" ("id" INTEGER PRIMARY KEY, "run" INTEGER NOT NULL, "at_ns" INTEGER NOT NULL, "mono_ns" INTEGER NOT NULL, "reason" TEXT, "proof" TEXT, "source" TEXT, "source_bits" INTEGER, "count" INTEGER) STRICT;
CREATE TABLE IF NOT EXISTS "esp_dropped" ("id" INTEGER PRIMARY KEY, "run" INTEGER NOT NULL, "at_ns" INTEGER NOT NULL, "mono_ns" INTEGER NOT NULL, "reason" TEXT, "session" TEXT, "source" TEXT, "count" INTEGER) STRICT;
CREATE TABLE IF NOT EXISTS "gateway_started" ("id" INTEGER PRIMARY KEY, "run" INTEGER NOT NULL, "at_ns" INTEGER NOT NULL, "mono_ns" INTEGER NOT NULL, "version" TEXT) STRICT;
CREATE TABLE IF NOT EXISTS "gateway_stopped" ("id" INTEGER PRIMARY KEY, "run" INTEGER NOT NULL, "at_ns" INTEGER NOT NULL, "mono_ns" INTEGER NOT NULL, "cause" TEXT, "uncertainty_ms" INTEGER) STRICT;
CREATE TABLE IF NOT EXISTS "gateway_draining" ("id" INTEGER PRIMARY KEY, "run" INTEGER NOT NULL, "at_ns" INTEGER NOT NULL, "mono_ns" INTEGER NOT NULL, "sessions" INTEGER, "redirected" INTEGER, "deadline_ms" INTEGER, "targets" TEXT) STRICT;
CREATE TABLE IF NOT EXISTS "gateway_drain_ended" ("id" INTEGER PRIMARY KEY, "run" INTEGER NOT NULL, "at_ns" INTEGER NOT NULL, "mono_ns" INTEGER NOT NULL, "cause" TEXT, "left" INTEGER) STRICT;
CREATE TABLE IF NOT EXISTS "radius_server_down" ("id" INTEGER PRIMARY KEY, "run" INTEGER NOT NULL, "at_ns" INTEGER NOT NULL, "mono_ns" INTEGER NOT NULL, "server" TEXT) STRICT;
CREATE TABLE IF NOT EXISTS "radius_server_up" ("id" INTEGER PRIMARY KEY, "run" INTEGER NOT NULL, "at_ns" INTEGER NOT NULL, "mono_ns" INTEGER NOT NULL, "server" TEXT, "down_ms" INTEGER) STRICT;
CREATE TABLE IF NOT EXISTS "accounting_lost" ("id" INTEGER PRIMARY KEY, "run" INTEGER NOT NULL, "at_ns" INTEGER NOT NULL, "mono_ns" INTEGER NOT NULL, "reason" TEXT, "count" INTEGER) STRICT;
CREATE TABLE IF NOT EXISTS "config_reloaded" ("id" INTEGER PRIMARY KEY, "run" INTEGER NOT NULL, "at_ns" INTEGER NOT NULL, "mono_ns" INTEGER NOT NULL, "changes" INTEGER, "difference" TEXT) STRICT;
CREATE TABLE IF NOT EXISTS "config_reload_refused" ("id" INTEGER PRIMARY KEY, "run" INTEGER NOT NULL, "at_ns" INTEGER NOT NULL, "mono_ns" INTEGER NOT NULL, "reason" TEXT) STRICT;
CREATE TABLE IF NOT EXISTS "alert_fired" ("id" INTEGER PRIMARY KEY, "run" INTEGER NOT NULL, "at_ns" INTEGER NOT NULL, "mono_ns" INTEGER NOT NULL, "rule" TEXT, "severity" TEXT, "subject" TEXT, "evidence" TEXT) STRICT;
CREATE TABLE IF NOT EXISTS "alert_resolved" ("id" INTEGER PRIMARY KEY, "run" INTEGER NOT NULL, "at_ns" INTEGER NOT NULL, "mono_ns" INTEGER NOT NULL, "rule" TEXT, "subject" TEXT) STRICT;
CREATE TABLE IF NOT EXISTS "events_lost" ("id" INTEGER PRIMARY KEY, "run" INTEGER NOT NULL, "at_ns" INTEGER NOT NULL, "mono_ns" INTEGER NOT NULL, "kind" TEXT, "count" INTEGER) STRICT;
CREATE TABLE IF NOT EXISTS "clock_stepped" ("id" INTEGER PRIMARY KEY, "run" INTEGER NOT NULL, "at_ns" INTEGER NOT NULL, "mono_ns" INTEGER NOT NULL, "step_ms" INTEGER) STRICT;
CREATE TABLE IF NOT EXISTS "store_log_pinned" ("id" INTEGER PRIMARY KEY, "run" INTEGER NOT NULL, "at_ns" INTEGER NOT NULL, "mono_ns" INTEGER NOT NULL, "log_bytes" INTEGER) STRICT;
CREATE TABLE IF NOT EXISTS "hold_placed" ("id" INTEGER PRIMARY KEY, "run" INTEGER NOT NULL, "at_ns" INTEGER NOT NULL, "mono_ns" INTEGER NOT NULL, "hold" INTEGER, "scope" TEXT) STRICT;
CREATE TABLE IF NOT EXISTS "hold_released" ("id" INTEGER PRIMARY KEY, "run" INTEGER NOT NULL, "at_ns" INTEGER NOT NULL, "mono_ns" INTEGER NOT NULL, "hold" INTEGER) STRICT;
CREATE INDEX "ike_sa_init_received_by_at_ns" ON "ike_sa_init_received" ("at_ns");
CREATE INDEX "ike_sa_init_rejected_by_at_ns" ON "ike_sa_init_rejected" ("at_ns");
CREATE INDEX "cookie_challenged_by_at_ns" ON "cookie_challenged" ("at_ns");
CREATE INDEX "ike_session_resume_received_by_at_ns" ON "ike_session_resume_received" ("at_ns");
CREATE INDEX "ticket_refused_by_at_ns" ON "ticket_refused" ("at_ns");
CREATE INDEX "ike_auth_failed_by_at_ns" ON "ike_auth_failed" ("at_ns");
CREATE INDEX "session_established_by_at_ns" ON "session_established" ("at_ns");
CREATE INDEX "session_established_by_session" ON "session_established" ("session");
CREATE INDEX "session_closed_by_at_ns" ON "session_closed" ("at_ns");
CREATE INDEX "session_closed_by_session" ON "session_closed" ("session");
CREATE INDEX "ticket_issued_by_at_ns" ON "ticket_issued" ("at_ns");
CREATE INDEX "ticket_issued_by_session" ON "ticket_issued" ("session");
CREATE INDEX "ike_sa_rekeyed_by_at_ns" ON "ike_sa_rekeyed" ("at_ns");
CREATE INDEX "ike_sa_rekeyed_by_session" ON "ike_sa_rekeyed" ("session");
CREATE INDEX "ike_sa_closed_by_at_ns" ON "ike_sa_closed" ("at_ns");
CREATE INDEX "ike_sa_closed_by_session" ON "ike_sa_closed" ("session");
CREATE INDEX "child_sa_installed_by_at_ns" ON "child_sa_installed" ("at_ns");
CREATE INDEX "child_sa_installed_by_session" ON "child_sa_installed" ("session");
CREATE INDEX "child_sa_rekeyed_by_at_ns" ON "child_sa_rekeyed" ("at_ns");
CREATE INDEX "child_sa_rekeyed_by_session" ON "child_sa_rekeyed" ("session");
CREATE INDEX "child_sa_closed_by_at_ns" ON "child_sa_closed" ("at_ns");
CREATE INDEX "child_sa_closed_by_session" ON "child_sa_closed" ("session");
CREATE INDEX "weak_suite_chosen_by_at_ns" ON "weak_suite_chosen" ("at_ns");
CREATE INDEX "weak_suite_chosen_by_session" ON "weak_suite_chosen" ("session");
CREATE INDEX "weak_suite_refused_by_at_ns" ON "weak_suite_refused" ("at_ns");
CREATE INDEX "create_child_sa_refused_by_at_ns" ON "create_child_sa_refused" ("at_ns");
CREATE INDEX "create_child_sa_refused_by_session" ON "create_child_sa_refused" ("session");
CREATE INDEX "rekey_collision_by_at_ns" ON "rekey_collision" ("at_ns");
CREATE INDEX "rekey_collision_by_session" ON "rekey_collision" ("session");
CREATE INDEX "address_changed_by_at_ns" ON "address_changed" ("at_ns");
CREATE INDEX "address_changed_by_session" ON "address_changed" ("session");
CREATE INDEX "lease_granted_by_at_ns" ON "lease_granted" ("at_ns");
CREATE INDEX "lease_granted_by_session" ON "lease_granted" ("session");
CREATE INDEX "lease_released_by_at_ns" ON "lease_released" ("at_ns");
CREATE INDEX "lease_released_by_session" ON "lease_released" ("session");
CREATE INDEX "pool_exhausted_by_at_ns" ON "pool_exhausted" ("at_ns");
CREATE INDEX "peer_dead_by_at_ns" ON "peer_dead" ("at_ns");
CREATE INDEX "peer_dead_by_session" ON "peer_dead" ("session");
CREATE INDEX "message_dropped_by_at_ns" ON "message_dropped" ("at_ns");
CREATE INDEX "esp_dropped_by_at_ns" ON "esp_dropped" ("at_ns");
CREATE INDEX "esp_dropped_by_session" ON "esp_dropped" ("session");
CREATE INDEX "gateway_started_by_at_ns" ON "gateway_started" ("at_ns");
CREATE INDEX "gateway_stopped_by_at_ns" ON "gateway_stopped" ("at_ns");
CREATE INDEX "gateway_draining_by_at_ns" ON "gateway_draining" ("at_ns");
CREATE INDEX "gateway_drain_ended_by_at_ns" ON "gateway_drain_ended" ("at_ns");
CREATE INDEX "radius_server_down_by_at_ns" ON "radius_server_down" ("at_ns");
CREATE INDEX "radius_server_up_by_at_ns" ON "radius_server_up" ("at_ns");
CREATE INDEX "accounting_lost_by_at_ns" ON "accounting_lost" ("at_ns");
CREATE INDEX "config_reloaded_by_at_ns" ON "config_reloaded" ("at_ns");
CREATE INDEX "config_reload_refused_by_at_ns" ON "config_reload_refused" ("at_ns");
CREATE INDEX "alert_fired_by_at_ns" ON "alert_fired" ("at_ns");
CREATE INDEX "alert_resolved_by_at_ns" ON "alert_resolved" ("at_ns");
CREATE INDEX "events_lost_by_at_ns" ON "events_lost" ("at_ns");
CREATE INDEX "clock_stepped_by_at_ns" ON "clock_stepped" ("at_ns");
CREATE INDEX "store_log_pinned_by_at_ns" ON "store_log_pinned" ("at_ns");
CREATE INDEX "hold_placed_by_at_ns" ON "hold_placed" ("at_ns");
CREATE INDEX "hold_released_by_at_ns" ON "hold_released" ("at_ns");
CREATE INDEX "lease_granted_by_address_at_ns" ON "lease_granted" ("address", "at_ns");
CREATE INDEX "session_established_by_identity_at_ns" ON "session_established" ("identity", "at_ns");
CREATE INDEX "child_sa_installed_by_run_child" ON "child_sa_installed" ("run", "child");
CREATE INDEX "series_by_session" ON "series" ("session");
CREATE INDEX "series_by_run_child" ON "series" ("run", "child");
CREATE INDEX "chunks_by_series" ON "chunks" ("series");
CREATE INDEX "imported_chunks_by_grouping" ON "imported_chunks" ("grouping");
CREATE INDEX "rollup_hours_by_state_hour" ON "rollup_hours" ("state", "hour");
CREATE TRIGGER "ticks_enter_hour" AFTER INSERT ON "ticks" BEGIN
INSERT OR IGNORE INTO rollup_hours (hour, state) VALUES (NEW.at_ns / 3600000000000, 0);
END;
CREATE TRIGGER "ticks_reopen_hour" AFTER INSERT ON "ticks"
WHEN EXISTS (SELECT 1 FROM rollup_hours
              WHERE hour IN (NEW.at_ns / 3600000000000, NEW.at_ns / 3600000000000 + 1) AND state = 1) BEGIN
DELETE FROM tick_minutes WHERE start_ns >= NEW.at_ns / 3600000000000 * 3600000000000
   AND start_ns < (NEW.at_ns / 3600000000000 + 2) * 3600000000000
   AND (SELECT state FROM rollup_hours WHERE hour = start_ns / 3600000000000) = 1;
DELETE FROM tick_hours WHERE start_ns >= NEW.at_ns / 3600000000000 * 3600000000000
   AND start_ns < (NEW.at_ns / 3600000000000 + 2) * 3600000000000
   AND (SELECT state FROM rollup_hours WHERE hour = start_ns / 3600000000000) = 1;
DELETE FROM pool_minutes WHERE start_ns >= NEW.at_ns / 3600000000000 * 3600000000000
   AND start_ns < (NEW.at_ns / 3600000000000 + 2) * 3600000000000
   AND (SELECT state FROM rollup_hours WHERE hour = start_ns / 3600000000000) = 1;
DELETE FROM pool_hours WHERE start_ns >= NEW.at_ns / 3600000000000 * 3600000000000
   AND start_ns < (NEW.at_ns / 3600000000000 + 2) * 3600000000000
   AND (SELECT state FROM rollup_hours WHERE hour = start_ns / 3600000000000) = 1;
UPDATE rollup_hours SET state = 0
 WHERE hour IN (NEW.at_ns / 3600000000000, NEW.at_ns / 3600000000000 + 1) AND state = 1;
END;
CREATE TRIGGER "pool_samples_enter_hour" AFTER INSERT ON "pool_samples" BEGIN
INSERT OR IGNORE INTO rollup_hours (hour, state) VALUES (NEW.at_ns / 3600000000000, 0);
END;
CREATE TRIGGER "pool_samples_reopen_hour" AFTER INSERT ON "pool_samples"
WHEN EXISTS (SELECT 1 FROM rollup_hours
              WHERE hour IN (NEW.at_ns / 3600000000000, NEW.at_ns / 3600000000000 + 1) AND state = 1) BEGIN
DELETE FROM tick_minutes WHERE start_ns >= NEW.at_ns / 3600000000000 * 3600000000000
   AND start_ns < (NEW.at_ns / 3600000000000 + 2) * 3600000000000
   AND (SELECT state FROM rollup_hours WHERE hour = start_ns / 3600000000000) = 1;
DELETE FROM tick_hours WHERE start_ns >= NEW.at_ns / 3600000000000 * 3600000000000
   AND start_ns < (NEW.at_ns / 3600000000000 + 2) * 3600000000000
   AND (SELECT state FROM rollup_hours WHERE hour = start_ns / 3600000000000) = 1;
DELETE FROM pool_minutes WHERE start_ns >= NEW.at_ns / 3600000000000 * 3600000000000
   AND start_ns < (NEW.at_ns / 3600000000000 + 2) * 3600000000000
   AND (SELECT state FROM rollup_hours WHERE hour = start_ns / 3600000000000) = 1;
DELETE FROM pool_hours WHERE start_ns >= NEW.at_ns / 3600000000000 * 3600000000000
   AND start_ns < (NEW.at_ns / 3600000000000 + 2) * 3600000000000
   AND (SELECT state FROM rollup_hours WHERE hour = start_ns / 3600000000000) = 1;
UPDATE rollup_hours SET state = 0
 WHERE hour IN (NEW.at_ns / 3600000000000, NEW.at_ns / 3600000000000 + 1) AND state = 1;
END;
CREATE VIEW "events" AS SELECT id, run, at_ns, 'ike_sa_init_received' AS kind, NULL AS session, json_object('proof', "proof", 'source', "source", 'source_bits', "source_bits", 'count', "count") AS fields FROM "ike_sa_init_received" UNION ALL SELECT id, run, at_ns, 'ike_sa_init_rejected' AS kind, NULL AS session, json_object('reason', "reason", 'proof', "proof", 'source', "source", 'source_bits', "source_bits", 'count', "count") AS fields FROM "ike_sa_init_rejected" UNION ALL SELECT id, run, at_ns, 'cookie_challenged' AS kind, NULL AS session, json_object('cause', "cause", 'source', "source", 'source_bits', "source_bits", 'count', "count") AS fields FROM "cookie_challenged" UNION ALL SELECT id, run, at_ns, 'ike_session_resume_received' AS kind, NULL AS session, json_object('proof', "proof", 'source', "source", 'source_bits', "source_bits", 'count', "count") AS fields FROM "ike_session_resume_received" UNION ALL SELECT id, run, at_ns, 'ticket_refused' AS kind, NULL AS session, json_object('reason', "reason", 'proof', "proof", 'source', "source", 'source_bits', "source_bits", 'count', "count") AS fields FROM "ticket_refused" UNION ALL SELECT id, run, at_ns, 'ike_auth_failed' AS kind, NULL AS session, json_object('reason', "reason", 'method', "method", 'proof', "proof", 'identity', "identity", 'source', "source", 'connection', "connection") AS fields FROM "ike_auth_failed" UNION ALL SELECT id, run, at_ns, 'session_established' AS kind, session, json_object('session', "session", 'connection', "connection", 'identity', "identity", 'source', "source", 'virtual_address', "virtual_address", 'method', "method", 'ike_suite', "ike_suite", 'esp_suite', "esp_suite", 'nat', "nat", 'initiator_spi', "initiator_spi", 'responder_spi', "responder_spi", 'init_us', "init_us", 'auth_us', "auth_us", 'total_us', "total_us", 'retransmissions', "retransmissions", 'replaces', "replaces", 'resumes', "resumes") AS fields FROM "session_established" UNION ALL SELECT id, run, at_ns, 'session_closed' AS kind, session, json_object('session', "session", 'reason', "reason", 'duration_ms', "duration_ms", 'bytes_in', "bytes_in", 'packets_in', "packets_in", 'bytes_out', "bytes_out", 'packets_out', "packets_out", 'uncertainty_ms', "uncertainty_ms") AS fields FROM "session_closed" UNION ALL SELECT id, run, at_ns, 'ticket_issued' AS kind, session, json_object('session', "session", 'lifetime_seconds', "lifetime_seconds") AS fields FROM "ticket_issued" UNION ALL SELECT id, run, at_ns, 'ike_sa_rekeyed' AS kind, session, json_object('session', "session", 'initiator', "initiator", 'retired_spi', "retired_spi", 'successor_spi', "successor_spi") AS fields FROM "ike_sa_rekeyed" UNION ALL SELECT id, run, at_ns, 'ike_sa_closed' AS kind, session, json_object('session', "session", 'reason', "reason", 'spi', "spi", 'age_ms', "age_ms") AS fields FROM "ike_sa_closed" UNION ALL SELECT id, run, at_ns, 'child_sa_installed' AS kind, session, json_object('session', "session", 'child', "child", 'inbound_spi', "inbound_spi", 'outbound_spi', "outbound_spi", 'suite', "suite", 'lifetime_ms', "lifetime_ms") AS fields FROM "child_sa_installed" UNION ALL SELECT id, run, at_ns, 'child_sa_rekeyed' AS kind, session, json_object('session', "session", 'retired', "retired", 'successor', "successor", 'initiator', "initiator", 'age_ms', "age_ms") AS fields FROM "child_sa_rekeyed" UNION ALL SELECT id, run, at_ns, 'child_sa_closed' AS kind, session, json_object('session', "session", 'child', "child", 'reason', "reason", 'bytes_in', "bytes_in", 'packets_in', "packets_in", 'bytes_out', "bytes_out", 'packets_out', "packets_out", 'uncertainty_ms', "uncertainty_ms") AS fields FROM "child_sa_closed" UNION ALL SELECT id, run, at_ns, 'weak_suite_chosen' AS kind, session, json_object('session', "session", 'sa', "sa", 'algorithm', "algorithm", 'suite', "suite") AS fields FROM "weak_suite_chosen" UNION ALL SELECT id, run, at_ns, 'weak_suite_refused' AS kind, NULL AS session, json_object('sa', "sa", 'algorithm', "algorithm", 'source', "source", 'source_bits', "source_bits", 'count', "count") AS fields FROM "weak_suite_refused" UNION ALL SELECT id, run, at_ns, 'create_child_sa_refused' AS kind, session, json_object('session', "session", 'initiator', "initiator", 'reason', "reason", 'count', "count") AS fields FROM "create_child_sa_refused" UNION ALL SELECT id, run, at_ns, 'rekey_collision' AS kind, session, json_object('session', "session", 'kind', "kind", 'survivor', "survivor") AS fields FROM "rekey_collision" UNION ALL SELECT id, run, at_ns, 'address_changed' AS kind, session, json_object('session', "session", 'cause', "cause", 'from_address', "from_address", 'to_address', "to_address") AS fields FROM "address_changed" UNION ALL SELECT id, run, at_ns, 'lease_granted' AS kind, session, json_object('session', "session", 'pool', "pool", 'identity', "identity", 'address', "address") AS fields FROM "lease_granted" UNION ALL SELECT id, run, at_ns, 'lease_released' AS kind, session, json_object('session', "session", 'pool', "pool", 'uncertainty_ms', "uncertainty_ms") AS fields FROM "lease_released" UNION ALL SELECT id, run, at_ns, 'pool_exhausted' AS kind, NULL AS session, json_object('pool', "pool", 'size', "size") AS fields FROM "pool_exhausted" UNION ALL SELECT id, run, at_ns, 'peer_dead' AS kind, session, json_object('session', "session", 'retransmissions', "retransmissions") AS fields FROM "peer_dead" UNION ALL SELECT id, run, at_ns, 'message_dropped' AS kind, NULL AS session, json_object('reason', "reason", 'proof', "proof", 'source', "source", 'source_bits', "source_bits", 'count', "count") AS fields FROM "message_dropped" UNION ALL SELECT id, run, at_ns, 'esp_dropped' AS kind, session, json_object('reason', "reason", 'session', "session", 'source', "source", 'count', "count") AS fields FROM "esp_dropped" UNION ALL SELECT id, run, at_ns, 'gateway_started' AS kind, NULL AS session, json_object('version', "version") AS fields FROM "gateway_started" UNION ALL SELECT id, run, at_ns, 'gateway_stopped' AS kind, NULL AS session, json_object('cause', "cause", 'uncertainty_ms', "uncertainty_ms") AS fields FROM "gateway_stopped" UNION ALL SELECT id, run, at_ns, 'gateway_draining' AS kind, NULL AS session, json_object('sessions', "sessions", 'redirected', "redirected", 'deadline_ms', "deadline_ms", 'targets', "targets") AS fields FROM "gateway_draining" UNION ALL SELECT id, run, at_ns, 'gateway_drain_ended' AS kind, NULL AS session, json_object('cause', "cause", 'left', "left") AS fields FROM "gateway_drain_ended" UNION ALL SELECT id, run, at_ns, 'radius_server_down' AS kind, NULL AS session, json_object('server', "server") AS fields FROM "radius_server_down" UNION ALL SELECT id, run, at_ns, 'radius_server_up' AS kind, NULL AS session, json_object('server', "server", 'down_ms', "down_ms") AS fields FROM "radius_server_up" UNION ALL SELECT id, run, at_ns, 'accounting_lost' AS kind, NULL AS session, json_object('reason', "reason", 'count', "count") AS fields FROM "accounting_lost" UNION ALL SELECT id, run, at_ns, 'config_reloaded' AS kind, NULL AS session, json_object('changes', "changes", 'difference', "difference") AS fields FROM "config_reloaded" UNION ALL SELECT id, run, at_ns, 'config_reload_refused' AS kind, NULL AS session, json_object('reason', "reason") AS fields FROM "config_reload_refused" UNION ALL SELECT id, run, at_ns, 'alert_fired' AS kind, NULL AS session, json_object('rule', "rule", 'severity', "severity", 'subject', "subject", 'evidence', "evidence") AS fields FROM "alert_fired" UNION ALL SELECT id, run, at_ns, 'alert_resolved' AS kind, NULL AS session, json_object('rule', "rule", 'subject', "subject") AS fields FROM "alert_resolved" UNION ALL SELECT id, run, at_ns, 'events_lost' AS kind, NULL AS session, json_object('kind', "kind", 'count', "count") AS fields FROM "events_lost" UNION ALL SELECT id, run, at_ns, 'clock_stepped' AS kind, NULL AS session, json_object('step_ms', "step_ms") AS fields FROM "clock_stepped" UNION ALL SELECT id, run, at_ns, 'store_log_pinned' AS kind, NULL AS session, json_object('log_bytes', "log_bytes") AS fields FROM "store_log_pinned" UNION ALL SELECT id, run, at_ns, 'hold_placed' AS kind, NULL AS session, json_object('hold', "hold", 'scope', "scope") AS fields FROM "hold_placed" UNION ALL SELECT id, run, at_ns, 'hold_released' AS kind, NULL AS session, json_object('hold', "hold") AS fields FROM "hold_released";
CREATE VIEW "spans_of_runs" AS SELECT r.run, r.version, r.boot_id, s.at_ns AS started_ns, e.at_ns AS stopped_ns,
       e.at_ns - min(coalesce(e.uncertainty_ms, 0), 9000000000000) * 1000000 AS stopped_earliest_ns, e.cause, r.last_ns
  FROM runs r
  JOIN gateway_started s ON s.run = r.run
  LEFT JOIN gateway_stopped e
    ON e.id = (SELECT min(id) FROM gateway_stopped WHERE id > s.id);
CREATE VIEW "child_last" AS SELECT n.session, s.child, s.run,
       l.bytes_in, l.packets_in, l.bytes_out, l.packets_out
  FROM series_last l
  JOIN series s ON s.id = l.series
  JOIN sampled_sessions n ON n.id = s.session;
CREATE VIEW "sessions" AS SELECT e.session, e.connection, e.identity, e.source, e.virtual_address, e.method,
       e.at_ns AS started_ns, c.at_ns AS ended_ns,
       c.at_ns - min(coalesce(c.uncertainty_ms, 0), 9000000000000) * 1000000 AS ended_earliest_ns,
       c.reason, CASE WHEN c.id IS NULL THEN (SELECT coalesce(sum(c.bytes_in), 0) FROM child_sa_closed c WHERE c.session = e.session)
    + (SELECT coalesce(sum(l.bytes_in), 0) FROM child_last l
        WHERE l.session = e.session AND NOT EXISTS (SELECT 1 FROM child_sa_closed c
  WHERE c.session = l.session AND c.child = l.child)) ELSE c.bytes_in END AS bytes_in, CASE WHEN c.id IS NULL THEN (SELECT coalesce(sum(c.packets_in), 0) FROM child_sa_closed c WHERE c.session = e.session)
    + (SELECT coalesce(sum(l.packets_in), 0) FROM child_last l
        WHERE l.session = e.session AND NOT EXISTS (SELECT 1 FROM child_sa_closed c
  WHERE c.session = l.session AND c.child = l.child)) ELSE c.packets_in END AS packets_in, CASE WHEN c.id IS NULL THEN (SELECT coalesce(sum(c.bytes_out), 0) FROM child_sa_closed c WHERE c.session = e.session)
    + (SELECT coalesce(sum(l.bytes_out), 0) FROM child_last l
        WHERE l.session = e.session AND NOT EXISTS (SELECT 1 FROM child_sa_closed c
  WHERE c.session = l.session AND c.child = l.child)) ELSE c.bytes_out END AS bytes_out, CASE WHEN c.id IS NULL THEN (SELECT coalesce(sum(c.packets_out), 0) FROM child_sa_closed c WHERE c.session = e.session)
    + (SELECT coalesce(sum(l.packets_out), 0) FROM child_last l
        WHERE l.session = e.session AND NOT EXISTS (SELECT 1 FROM child_sa_closed c
  WHERE c.session = l.session AND c.child = l.child)) ELSE c.packets_out END AS packets_out, e.run
  FROM session_established e
  LEFT JOIN session_closed c
    ON c.id = (SELECT min(id) FROM session_closed WHERE session = e.session);
CREATE VIEW "leases" AS SELECT g.session, g.pool, g.identity, g.address, g.at_ns AS from_ns,
       coalesce(r.at_ns, c.at_ns) AS to_ns,
       coalesce(r.at_ns - min(coalesce(r.uncertainty_ms, 0), 9000000000000) * 1000000, c.at_ns - min(coalesce(c.uncertainty_ms, 0), 9000000000000) * 1000000) AS to_earliest_ns, g.run
  FROM lease_granted g
  LEFT JOIN lease_released r
    ON r.id = (SELECT min(id) FROM lease_released
                WHERE session = g.session AND pool = g.pool AND id > g.id)
  LEFT JOIN session_closed c
    ON c.id = (SELECT min(id) FROM session_closed WHERE session = g.session);
CREATE VIEW "child_sas" AS SELECT i.session, i.run, i.child, i.inbound_spi, i.outbound_spi, i.suite,
       i.at_ns AS installed_ns, c.at_ns AS closed_ns,
       c.at_ns - min(coalesce(c.uncertainty_ms, 0), 9000000000000) * 1000000 AS closed_earliest_ns, c.reason,
       coalesce(c.bytes_in, (SELECT l.bytes_in FROM child_last l
    WHERE l.session = i.session AND l.child = i.child), 0) AS bytes_in, coalesce(c.packets_in, (SELECT l.packets_in FROM child_last l
    WHERE l.session = i.session AND l.child = i.child), 0) AS packets_in, coalesce(c.bytes_out, (SELECT l.bytes_out FROM child_last l
    WHERE l.session = i.session AND l.child = i.child), 0) AS bytes_out, coalesce(c.packets_out, (SELECT l.packets_out FROM child_last l
    WHERE l.session = i.session AND l.child = i.child), 0) AS packets_out
  FROM child_sa_installed i
  LEFT JOIN child_sa_closed c
    ON c.id = (SELECT min(id) FROM child_sa_closed
                WHERE session = i.session AND child = i.child);
CREATE VIEW "alerts" AS SELECT f.id, f.run, f.rule, f.severity, f.subject, f.evidence, f.at_ns AS fired_ns,
       coalesce(r.at_ns, s.stopped_ns) AS resolved_ns
  FROM alert_fired f
  LEFT JOIN alert_resolved r
    ON r.id = (SELECT min(id) FROM alert_resolved
                WHERE run = f.run AND rule = f.rule AND subject IS f.subject
                  AND id > f.id)
  LEFT JOIN spans_of_runs s ON s.run = f.run;
CREATE VIEW "samples" AS SELECT s.run, s.at_ns, t.mono_ns, s.session, e.identity, s.child,
       s.bytes_in, s.packets_in, s.bytes_out, s.packets_out
  FROM child_samples s
  LEFT JOIN ticks t ON t.at_ns = s.at_ns AND t.run = s.run
  LEFT JOIN session_established e ON e.session = s.session;
CREATE VIEW "rates" AS WITH times AS (
    SELECT run, at_ns,
           (mono_ns - lag(mono_ns) OVER (PARTITION BY run ORDER BY mono_ns)) / 1e9
           AS seconds
      FROM ticks)
SELECT s.run, s.at_ns, s.session, e.identity, s.child, t.seconds,
       s.bytes_in_step / t.seconds AS bytes_in_per_second, s.packets_in_step / t.seconds AS packets_in_per_second, s.bytes_out_step / t.seconds AS bytes_out_per_second, s.packets_out_step / t.seconds AS packets_out_per_second
  FROM child_samples s
  JOIN times t ON t.run = s.run AND t.at_ns = s.at_ns
  LEFT JOIN session_established e ON e.session = s.session
 WHERE s.moved = 1;
CREATE VIEW "session_hours" AS WITH last AS (SELECT session, child, max(bytes_in) AS bytes_in, max(packets_in) AS packets_in, max(bytes_out) AS bytes_out, max(packets_out) AS packets_out FROM child_samples GROUP BY session, child),
steps AS (
    SELECT session, at_ns, bytes_in_step AS bytes_in, packets_in_step AS packets_in, bytes_out_step AS bytes_out, packets_out_step AS packets_out FROM child_samples WHERE moved = 1
    UNION ALL
    SELECT c.session, c.at_ns, c.bytes_in - coalesce(l.bytes_in, 0) AS bytes_in, c.packets_in - coalesce(l.packets_in, 0) AS packets_in, c.bytes_out - coalesce(l.bytes_out, 0) AS bytes_out, c.packets_out - coalesce(l.packets_out, 0) AS packets_out
      FROM child_sa_closed c
      LEFT JOIN last l ON l.session = c.session AND l.child = c.child
     WHERE c.id = (SELECT min(id) FROM child_sa_closed
                    WHERE session = c.session AND child = c.child))
SELECT s.session, e.identity, e.connection,
       s.at_ns / 3600000000000 * 3600000000000 AS hour_ns, sum(bytes_in) AS bytes_in, sum(packets_in) AS packets_in, sum(bytes_out) AS bytes_out, sum(packets_out) AS packets_out
  FROM steps s LEFT JOIN session_established e ON e.session = s.session
 GROUP BY s.session, hour_ns;
CREATE VIEW "session_totals" AS SELECT s.session, s.identity, s.connection,
       (SELECT pool FROM lease_granted g WHERE g.session = s.session
         ORDER BY id LIMIT 1) AS pool,
       s.started_ns, s.ended_ns, s.ended_earliest_ns,
       s.bytes_in, s.packets_in, s.bytes_out, s.packets_out
  FROM sessions s;
CREATE VIEW "gateway_metrics" AS SELECT "run", "at_ns", "mono_ns", "sessions", "half_open", "child_sas", "session_limit", "bytes_in", "packets_in", "bytes_out", "packets_out", "messages_received", "messages_sent", "retransmissions_sent", "active_child_sas" FROM ticks;
CREATE VIEW "gateway_minutes" AS SELECT * FROM tick_minutes
UNION ALL
SELECT at_ns, run, 1, at_ns, at_ns, mono_ns, mono_ns,
       sessions, sessions, sessions, sessions, half_open, half_open, half_open, half_open, child_sas, child_sas, child_sas, child_sas, active_child_sas, active_child_sas, active_child_sas, active_child_sas, at_ns, session_limit,
       bytes_in, bytes_in, packets_in, packets_in, bytes_out, bytes_out, packets_out, packets_out, messages_received, messages_received, messages_sent, messages_sent, retransmissions_sent, retransmissions_sent, NULL, NULL, NULL, NULL, 0, 0
  FROM rollup_hours h
 CROSS JOIN ticks t ON t.at_ns >= h.hour * 3600000000000
       AND t.at_ns < (h.hour + 1) * 3600000000000
 WHERE h.state = 0;
CREATE VIEW "gateway_hours" AS SELECT * FROM tick_hours
UNION ALL
SELECT at_ns, run, 1, at_ns, at_ns, mono_ns, mono_ns,
       sessions, sessions, sessions, sessions, half_open, half_open, half_open, half_open, child_sas, child_sas, child_sas, child_sas, active_child_sas, active_child_sas, active_child_sas, active_child_sas, at_ns, session_limit,
       bytes_in, bytes_in, packets_in, packets_in, bytes_out, bytes_out, packets_out, packets_out, messages_received, messages_received, messages_sent, messages_sent, retransmissions_sent, retransmissions_sent, NULL, NULL, NULL, NULL, 0, 0
  FROM rollup_hours h
 CROSS JOIN ticks t ON t.at_ns >= h.hour * 3600000000000
       AND t.at_ns < (h.hour + 1) * 3600000000000
 WHERE h.state = 0;
COMMIT;
