-- question:    When and from where was this user here, and how much did they move?
-- parameters:  :identity  identity  required      the user
--              :since     time      default=-30d  the window's start, included
--              :until     time      default=now   the window's end, excluded
-- columns:     session            public    text       the session
--              connection         public    text       the configured connection
--              source             personal  text       where the peer was when it logged in
--              virtual_address    personal  text       the inner address it was given
--              started_ns         public    timestamp  when it began
--              ended_earliest_ns  public    timestamp  it did not end before; null if it has not ended
--              ended_ns           public    timestamp  it had ended by then; null if it has not
--              reason             public    text       why it ended
--              bytes_in           public    bytes      inner bytes from the peer, of the whole session
--              bytes_out          public    bytes      inner bytes to the peer, of the whole session
-- disclosure:  source and virtual address as the store holds them
-- cost:        the sessions of one identity, through session_established_by_identity_at_ns
SELECT session, connection, source, virtual_address, started_ns, ended_earliest_ns, ended_ns,
       reason, bytes_in, bytes_out
  FROM sessions
 WHERE identity = :identity AND started_ns < :until AND (ended_ns IS NULL OR :since < ended_ns)
 ORDER BY started_ns, session
