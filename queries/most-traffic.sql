-- question:    Which users moved the most, in the hours that touch the window?
-- parameters:  :since  time   default=-24h  the window's start, included
--              :until  time   default=now   the window's end, excluded
--              :limit  count  default=20    how many users
-- columns:     identity    personal  text     the user
--              sessions    public    count    their sessions that carried anything in these hours
--              bytes_in    public    bytes    inner bytes from the peer, of whole hours of the clock
--              bytes_out   public    bytes    inner bytes to the peer, likewise
--              packets_in  public    packets  inner packets from the peer, likewise
--              packets_out public    packets  inner packets to the peer, likewise
-- disclosure:  identities as the store holds them
-- cost:        the sums of these hours, and the samples that are not summed up yet
SELECT identity, count(DISTINCT session) AS sessions, sum(bytes_in) AS bytes_in,
       sum(bytes_out) AS bytes_out, sum(packets_in) AS packets_in, sum(packets_out) AS packets_out
  FROM session_hours
 WHERE hour >= :since / 3600000000000 AND hour <= (:until - 1) / 3600000000000
 GROUP BY identity
 ORDER BY sum(bytes_in) + sum(bytes_out) DESC, identity
 LIMIT :limit
