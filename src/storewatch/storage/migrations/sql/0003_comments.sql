-- What psql's \d+ and pgAdmin show beside a name. More in docs/reference/database.md.

COMMENT ON VIEW store_status_local IS 'Polls, with the time on the store''s own clock';
COMMENT ON COLUMN store_status_local.timestamp_local IS 'on the clock of timezone_str';
COMMENT ON COLUMN store_status_local.timestamp_utc IS 'the instant; narrow a query by it, then only those days are read';
COMMENT ON COLUMN store_status_local.zone_given IS 'false: the store has no zone, timezone_str is the default';
COMMENT ON COLUMN store_status_local.import_no IS 'the import that wrote it; null where a person set it by hand';
COMMENT ON VIEW menu_hours_local IS 'Weekly opening hours as times of the day';
COMMENT ON COLUMN menu_hours_local.day IS '0 Monday to 6 Sunday';
COMMENT ON COLUMN menu_hours_local.end_time_local IS '24:00:00 is the end of the day';
COMMENT ON COLUMN menu_hours_local.ends_next_day IS 'true: it closes after midnight';
COMMENT ON VIEW store_report_classic IS
    'The seven columns of the report: minutes for the hour, hours for the day and the week; null: open, but nothing known';

COMMENT ON FUNCTION opening_hours(date, date) IS
    'The openings that begin on the local days from the first to the last; a store without hours has no rows: it is always open';
COMMENT ON FUNCTION local_to_utc(timestamp, text) IS
    'The instant of a time on a zone''s clock; where AT TIME ZONE takes the second of two, this takes the first';
COMMENT ON FUNCTION clock_zone(text) IS 'The name under which PostgreSQL finds a zone''s clock';
COMMENT ON FUNCTION default_zone() IS 'The zone of stores that have none: storewatch.default_zone of the session, or Chicago';

COMMENT ON TABLE store IS 'Stores: a short key for use inside, store_id outside';
COMMENT ON TABLE store_timezone IS 'The zones of stores; one without a row is in the default zone';
COMMENT ON TABLE hours_week IS 'Weeks of opening hours; a store without one is open day and night';
COMMENT ON TABLE menu_hours IS 'The openings of a week, in seconds of the local day; view: menu_hours_local';
COMMENT ON TABLE store_status IS 'Polls, a partition a UTC day; view: store_status_local';
COMMENT ON TABLE store_status_day IS 'How many polls each partition has, and its newest';
COMMENT ON TABLE deleted_poll IS 'Polls that a person deleted: no import brings them back';
COMMENT ON TABLE import IS 'Files that were loaded: which, when, by whom, with what result';
COMMENT ON TABLE import_reject IS 'Rows that could not be read, and why';
COMMENT ON TABLE upload IS 'Files that came over HTTP';
COMMENT ON TABLE report IS 'Reports: what was asked for, and what became of it';
COMMENT ON TABLE store_report IS
    'A row for each store of a report; element i of an array is for window i of the report; view: store_report_classic';

COMMENT ON TABLE account IS 'People';
COMMENT ON TABLE store_group IS 'Groups of stores';
COMMENT ON TABLE group_store IS 'Which stores are in which groups';
COMMENT ON TABLE membership IS 'Who is manager or viewer of which groups';
COMMENT ON TABLE login IS 'Sessions, by the digest of their secret; without its row a session has ended';
COMMENT ON TABLE token IS 'Keys of programs, by their digest';
COMMENT ON TABLE one_time_link IS 'Links that work once: invitations, new passwords';
COMMENT ON TABLE login_failure IS 'Logins that failed, and links for a new password that were asked for, of late: they slow the next ones down';
COMMENT ON TABLE app_secret IS 'What the processes of a service share, such as the key that signs cookies';
COMMENT ON TABLE audit IS 'Who did what to what, when, from where; rows are only ever added';
COMMENT ON TABLE idempotency_key IS 'Requests that were made, and their answers, by the key that came with them';

COMMENT ON TABLE store_day IS 'Up, down and unknown by store and local day, written by storewatch after each change';
COMMENT ON TABLE history_due IS 'What of store_day is to be computed anew';
COMMENT ON TABLE history_present IS 'How far store_day goes; one row';
