-- question:    Which users moved the most, in sessions that touch the window?
-- parameters:  :since  time   default=-24h  the window's start, included
--              :until  time   default=now   the window's end, excluded
--              :limit  count  default=20    how many users
-- columns:     identity    personal  text     the user
--              sessions    public    count    their sessions that touch the window
--              bytes_in    public    bytes    inner bytes from the peer, of those sessions' whole time
--              bytes_out   public    bytes    inner bytes to the peer, of those sessions' whole time
--              packets_in  public    packets  inner packets from the peer, likewise
--              packets_out public    packets  inner packets to the peer, likewise
-- disclosure:  identities as the store holds them
-- cost:        one pass over all sessions that began before the window's end
SELECT identity, count(*) AS sessions, sum(bytes_in) AS bytes_in, sum(bytes_out) AS bytes_out,
       sum(packets_in) AS packets_in, sum(packets_out) AS packets_out
  FROM sessions
 WHERE started_ns < :until AND (ended_ns IS NULL OR :since < ended_ns)
 GROUP BY identity
 ORDER BY sum(bytes_in) + sum(bytes_out) DESC, identity
 LIMIT :limit
