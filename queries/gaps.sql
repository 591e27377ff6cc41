-- question:    What is missing from the record, or makes its times doubtful?
-- parameters:  :since  time  default=-24h  the window's start, included
--              :until  time  default=now   the window's end, excluded
-- columns:     from_ns  public  timestamp  the earliest that it can have begun
--              to_ns    public  timestamp  when it was noticed
--              what     public  text       events_lost, clock_stepped or crash
--              detail   public  text       how many of which kind, how far the clock went
--              run      public  count      the run of the gateway that recorded it
-- disclosure:  nothing personal
-- cost:        one pass over the losses, clock steps and stops of the window
SELECT from_ns, to_ns, what, detail, run
  FROM (SELECT id, at_ns AS from_ns, at_ns AS to_ns, 'events_lost' AS what,
               printf('%d of %s', count, kind) AS detail, run
          FROM events_lost
        UNION ALL
        SELECT id, at_ns, at_ns, 'clock_stepped', printf('%+d ms', step_ms), run
          FROM clock_stepped
        UNION ALL
        SELECT id, at_ns - min(coalesce(uncertainty_ms, 0), 9000000000000) * 1000000, at_ns,
               'crash', NULL, run
          FROM gateway_stopped
         WHERE cause = 'crash')
 WHERE from_ns < :until AND to_ns >= :since
 ORDER BY from_ns, id
