-- question:    Who failed to log in, from where and why?
-- parameters:  :since   time     default=-24h  the window's start, included
--              :until   time     default=now   the window's end, excluded
--              :source  address  optional      only this source address
-- columns:     source      personal  text       where the attempts came from
--              reason      public    text       what was wrong
--              attempts    public    count      how many
--              identities  public    count      how many names were tried; those the store omits count as none
--              first_ns    public    timestamp  the first of them
--              last_ns     public    timestamp  the last of them
-- disclosure:  sources as the store holds them
-- cost:        one pass over the window, through ike_auth_failed_by_at_ns
SELECT source, reason, count(*) AS attempts, count(DISTINCT identity) AS identities,
       min(at_ns) AS first_ns, max(at_ns) AS last_ns
  FROM ike_auth_failed
 WHERE at_ns >= :since AND at_ns < :until AND (:source IS NULL OR source = :source)
 GROUP BY source, reason
 ORDER BY attempts DESC, source, reason
