-- question:    Why did sessions end?
-- parameters:  :since     time      default=-24h  the window's start, included
--              :until     time      default=now   the window's end, excluded
--              :identity  identity  optional      only this user's
-- columns:     ended_earliest_ns  public    timestamp     it did not end before
--              ended_ns           public    timestamp     it had ended by then
--              session            public    text          the session
--              identity           personal  text          the user
--              reason             public    text          why it ended
--              duration_ms        public    milliseconds  how long it lasted
--              unanswered         public    count         how often we asked a dead peer again; null if it was not found dead
-- disclosure:  identities as the store holds them
-- cost:        one pass over the window, through session_closed_by_at_ns
SELECT c.at_ns - min(coalesce(c.uncertainty_ms, 0), 9000000000000) * 1000000 AS ended_earliest_ns,
       c.at_ns AS ended_ns, c.session, e.identity, c.reason, c.duration_ms,
       (SELECT retransmissions FROM peer_dead
         WHERE session = c.session ORDER BY id DESC LIMIT 1) AS unanswered
  FROM session_closed c LEFT JOIN session_established e ON e.session = c.session
 WHERE c.at_ns >= :since AND c.at_ns < :until
   AND (:identity IS NULL OR e.identity = :identity)
 ORDER BY c.at_ns, c.id
