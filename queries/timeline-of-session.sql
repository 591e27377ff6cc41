-- question:    What happened to this session, in order?
-- parameters:  :session  session  required  the session
-- columns:     at_ns   public    timestamp  when
--              kind    public    text       the kind of event
--              run     public    count      the run of the gateway that recorded it
--              fields  personal  json       all that is recorded of it
-- disclosure:  identities and addresses as the store holds them
-- cost:        the session's events, through each kind's index by session
SELECT at_ns, kind, run, fields
  FROM events
 WHERE session = :session
 ORDER BY id
