-- question:    Who held this virtual address at that time?
-- parameters:  :address  virtual_address  required     the virtual address
--              :at       time             default=now  the moment
-- columns:     session    public    text       the session that held it
--              identity   personal  text       who the peer proved to be
--              pool       public    text       the pool that it was lent from
--              from_ns    public    timestamp  when the lease began, included
--              to_ns      public    timestamp  when it ended, excluded; null if it has not
--              certainty  public    text       certain; uncertain if a crash may have ended it before the moment; presumed if the moment is after the last fact recorded
-- disclosure:  the identity as the store holds it
-- cost:        the leases of one address, through lease_granted_by_address_at_ns
SELECT l.session, l.identity, l.pool, l.from_ns, l.to_ns,
       CASE WHEN l.to_earliest_ns <= :at THEN 'uncertain'
            WHEN l.to_ns IS NULL AND r.last_ns < :at THEN 'presumed'
            ELSE 'certain' END AS certainty
  FROM leases l LEFT JOIN runs r ON r.run = l.run
 WHERE l.address = :address AND l.from_ns <= :at AND (l.to_ns IS NULL OR :at < l.to_ns)
 ORDER BY l.from_ns, l.session
