INSERT INTO public.audit OVERRIDING SYSTEM VALUE VALUES
	(1, '2026-11-28 00:05:50.156452+00', NULL, NULL, 'command', NULL, NULL, 'invite', 'user', 'ada@example.com', '{"role": "admin"}'),
	(2, '2026-11-28 00:05:55.137022+00', NULL, NULL, 'command', NULL, NULL, 'create', 'report', 'a04062f0-6936-43ba-ad48-c6b8652fd408', '{}');
INSERT INTO public.store OVERRIDING SYSTEM VALUE VALUES
	(1, '2636123877061460300', NULL, '2023-01-23 00:15:02.0491+00', NULL, NULL, NULL, NULL, NULL, NULL, NULL, '2026-11-28 00:05:33.959495+00'),
	(2, '3536015477949382767', NULL, '2023-01-23 00:01:45.475294+00', NULL, NULL, NULL, NULL, NULL, NULL, NULL, '2026-11-28 00:05:33.959495+00'),
	(3, '497517539204669088', NULL, '2023-01-23 00:03:46.009417+00', NULL, NULL, NULL, NULL, NULL, NULL, NULL, '2026-11-28 00:05:33.959495+00');
INSERT INTO public.report OVERRIDING SYSTEM VALUE VALUES
	(1, 'a04062f0-6936-43ba-ad48-c6b8652fd408', 'complete', 100, 1, false, NULL, 'nearest', 86400000000, 2700000000, 'America/Chicago', '{last_hour,last_day,last_week}', '{3600000000,86400000000,604800000000}', '2023-01-24 23:59:05.952774+00', 3, '0.1.0', '2026f', '2026-11-28 00:05:54.98633+00', '2026-11-28 00:05:55.161531+00', '2026-11-28 00:05:55.400362+00', '{"seconds": 0.2033}', '{"stores": 3, "windows": {"last_day": {"unknown_us": 0, "up_seen_us": 212445621352, "down_max_us": 9208062586, "down_min_us": 0, "excluded_us": 0, "down_seen_us": 3399897055, "up_inferred_us": 9213481593, "down_inferred_us": 0}, "last_hour": {"unknown_us": 0, "up_seen_us": 10261032603, "down_max_us": 0, "down_min_us": 0, "excluded_us": 0, "down_seen_us": 0, "up_inferred_us": 538967397, "down_inferred_us": 0}, "last_week": {"unknown_us": 901631675489, "up_seen_us": 417920756713, "down_max_us": 26150917389, "down_min_us": 3546345322, "excluded_us": 0, "down_seen_us": 14700158019, "up_inferred_us": 241011936442, "down_inferred_us": 148473337}}, "open_24x7": 1, "default_zone": 0}', NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.history_due OVERRIDING SYSTEM VALUE VALUES
	(1, 1, 1, '-infinity', 'infinity'),
	(2, 2, 2, '-infinity', 'infinity'),
	(3, 3, 3, '-infinity', 'infinity');
INSERT INTO public.history_present VALUES
	(true, NULL, NULL);
INSERT INTO public.import OVERRIDING SYSTEM VALUE VALUES
	(1, 'store_timezone', 'cli', 'store_timezone.csv', 'c437f28cdd2be4f06093902fe3bf5e6226596223f1e657df92ead6ab9960765b', 135, '2026-11-28 00:05:33.927794+00', '2026-11-28 00:05:34.112983+00', 3, 3, 0, 0, 0, 0, '{"open_24x7": 0, "default_zone": 0, "polled_stores": 0}', NULL),
	(2, 'menu_hours', 'cli', 'menu_hours.csv', '4bef68efaefd20f29a8c970223f2c6732584f25517fad765ab3340e1ff25bd5e', 871, '2026-11-28 00:05:38.981035+00', '2026-11-28 00:05:39.190526+00', 21, 21, 0, 0, 0, 0, '{"open_24x7": 0, "default_zone": 0, "polled_stores": 0}', NULL),
	(3, 'store_status', 'cli', 'store_status.csv', 'f83d70c59dfe3854e08203fc0ac1f2de749cc50599decac882ea190cbea0a555', 8009, '2026-11-28 00:05:44.434808+00', '2026-11-28 00:05:44.678242+00', 138, 138, 0, 0, 0, 0, '{"open_24x7": 1, "default_zone": 0, "polled_stores": 3}', NULL);
INSERT INTO public.hours_week OVERRIDING SYSTEM VALUE VALUES
	(1, 1, '-infinity', 2),
	(2, 3, '-infinity', 2);
INSERT INTO public.menu_hours VALUES
	(1, 0, 0, 86400),
	(1, 1, 0, 86400),
	(1, 2, 0, 86400),
	(1, 3, 0, 86400),
	(1, 4, 0, 86400),
	(1, 5, 0, 86400),
	(1, 6, 0, 86400),
	(2, 0, 32400, 84600),
	(2, 0, 85200, 85259),
	(2, 1, 32400, 84600),
	(2, 1, 85200, 85259),
	(2, 2, 32400, 84600),
	(2, 2, 85200, 85259),
	(2, 3, 32400, 84600),
	(2, 3, 85200, 85259),
	(2, 4, 32400, 84600),
	(2, 4, 85200, 85259),
	(2, 5, 32400, 84600),
	(2, 5, 85200, 85259),
	(2, 6, 32400, 84600),
	(2, 6, 85200, 85259);
INSERT INTO public.one_time_link OVERRIDING SYSTEM VALUE VALUES
	(1, '\x7eceee9c10a8ccb665c6561c843842f31217de545da061588d6f03006cdd085b', 'invitation', NULL, 'ada@example.com', 'admin', '{}', NULL, '2026-11-28 00:05:50.125639+00', '2026-12-12 00:05:50.11357+00', '2b6f01e9-8daa-4d12-a86a-8aa2ee885d20');
INSERT INTO public.retention VALUES
	(true, '-infinity');
INSERT INTO public.store_report VALUES
	(1, 1, 1, '{3600000000,77136853103,152044882384}', '{0,5863249842,95701830602}', '{0,3399897055,10497190688}', '{0,0,0}', '{0,0,346556096326}', '{0,1,2}', '{0,3399897055,7097293633}', true, true, '{0,0,0}', '{0,0,3546345322}', '{0,7009633449,17448036053}', NULL),
	(1, 1, 2, '{3061032603,84497503677,163264641067}', '{538967397,1902496323,91424395745}', '{0,0,4202967331}', '{0,0,148473337}', '{0,0,345759522520}', '{0,0,1}', '{0,0,4351440668}', false, true, '{0,0,0}', '{0,0,0}', '{0,2198429137,8702881336}', NULL),
	(1, 1, 3, '{3600000000,50811264572,102611233262}', '{0,1447735428,53885710095}', '{0,0,0}', '{0,0,0}', '{0,0,209316056643}', '{0,0,0}', '{0,0,0}', true, true, '{0,0,0}', '{0,0,0}', '{0,0,0}', NULL);
INSERT INTO public.store_status VALUES
	(1, 3, '2023-01-23 00:15:02.0491+00', true, NULL),
	(1, 3, '2023-01-23 01:02:37.369291+00', true, NULL),
	(1, 3, '2023-01-23 02:05:39.643548+00', true, NULL),
	(1, 3, '2023-01-23 03:06:08.415934+00', true, NULL),
	(1, 3, '2023-01-23 04:08:17.675619+00', true, NULL),
	(1, 3, '2023-01-23 06:13:07.70989+00', true, NULL),
	(1, 3, '2023-01-23 07:17:01.163495+00', true, NULL),
	(1, 3, '2023-01-23 08:12:15.891434+00', true, NULL),
	(1, 3, '2023-01-23 09:01:22.864389+00', true, NULL),
	(1, 3, '2023-01-23 11:38:51.410878+00', true, NULL),
	(1, 3, '2023-01-23 12:13:06.524724+00', true, NULL),
	(1, 3, '2023-01-23 13:02:18.112352+00', true, NULL),
	(1, 3, '2023-01-23 14:14:02.820106+00', true, NULL),
	(1, 3, '2023-01-23 15:02:31.089203+00', true, NULL),
	(1, 3, '2023-01-23 16:03:57.42468+00', true, NULL),
	(1, 3, '2023-01-23 17:08:06.231957+00', true, NULL),
	(1, 3, '2023-01-23 18:09:04.636143+00', true, NULL),
	(1, 3, '2023-01-23 19:01:23.411464+00', true, NULL),
	(1, 3, '2023-01-23 20:06:02.050996+00', true, NULL),
	(1, 3, '2023-01-23 21:05:07.55017+00', true, NULL),
	(1, 3, '2023-01-23 22:09:17.26115+00', false, NULL),
	(1, 3, '2023-01-23 23:08:23.606472+00', false, NULL),
	(2, 3, '2023-01-23 00:01:45.475294+00', true, NULL),
	(2, 3, '2023-01-23 01:49:16.8721+00', true, NULL),
	(2, 3, '2023-01-23 02:00:30.606193+00', true, NULL),
	(2, 3, '2023-01-23 03:53:31.782091+00', true, NULL),
	(2, 3, '2023-01-23 04:07:15.521546+00', true, NULL),
	(2, 3, '2023-01-23 06:03:57.905487+00', true, NULL),
	(2, 3, '2023-01-23 07:03:28.28188+00', true, NULL),
	(2, 3, '2023-01-23 08:02:57.503097+00', true, NULL),
	(2, 3, '2023-01-23 09:11:04.950498+00', true, NULL),
	(2, 3, '2023-01-23 10:00:42.663263+00', true, NULL),
	(2, 3, '2023-01-23 11:00:38.032435+00', true, NULL),
	(2, 3, '2023-01-23 12:03:35.198854+00', true, NULL),
	(2, 3, '2023-01-23 13:04:24.694805+00', true, NULL),
	(2, 3, '2023-01-23 14:04:53.464594+00', true, NULL),
	(2, 3, '2023-01-23 15:01:27.885738+00', true, NULL),
	(2, 3, '2023-01-23 16:58:46.355177+00', true, NULL),
	(2, 3, '2023-01-23 17:01:00.838156+00', true, NULL),
	(2, 3, '2023-01-23 18:02:47.832863+00', true, NULL),
	(2, 3, '2023-01-23 19:04:31.365591+00', true, NULL),
	(2, 3, '2023-01-23 20:09:49.252976+00', true, NULL),
	(2, 3, '2023-01-23 21:11:32.53483+00', true, NULL),
	(2, 3, '2023-01-23 22:10:41.500575+00', true, NULL),
	(2, 3, '2023-01-23 23:00:47.435236+00', false, NULL),
	(3, 3, '2023-01-23 00:03:46.009417+00', true, NULL),
	(3, 3, '2023-01-23 01:02:02.471981+00', true, NULL),
	(3, 3, '2023-01-23 02:07:18.498589+00', true, NULL),
	(3, 3, '2023-01-23 03:04:39.886809+00', true, NULL),
	(3, 3, '2023-01-23 04:11:04.203054+00', true, NULL),
	(3, 3, '2023-01-23 06:05:29.438436+00', true, NULL),
	(3, 3, '2023-01-23 07:26:00.28073+00', true, NULL),
	(3, 3, '2023-01-23 08:05:36.223833+00', false, NULL),
	(3, 3, '2023-01-23 09:12:24.920039+00', false, NULL),
	(3, 3, '2023-01-23 10:04:23.601144+00', false, NULL),
	(3, 3, '2023-01-23 11:00:16.050616+00', false, NULL),
	(3, 3, '2023-01-23 12:01:55.151782+00', false, NULL),
	(3, 3, '2023-01-23 13:25:18.927503+00', false, NULL),
	(3, 3, '2023-01-23 14:08:55.747013+00', false, NULL),
	(3, 3, '2023-01-23 15:01:25.050086+00', false, NULL),
	(3, 3, '2023-01-23 16:02:57.961732+00', false, NULL),
	(3, 3, '2023-01-23 17:03:58.04771+00', true, NULL),
	(3, 3, '2023-01-23 18:02:14.517819+00', true, NULL),
	(3, 3, '2023-01-23 19:03:35.009152+00', true, NULL),
	(3, 3, '2023-01-23 20:57:08.748437+00', true, NULL),
	(3, 3, '2023-01-23 21:03:37.804684+00', true, NULL),
	(3, 3, '2023-01-23 22:02:12.189161+00', true, NULL),
	(3, 3, '2023-01-23 23:03:59.503339+00', true, NULL);
INSERT INTO public.store_status VALUES
	(1, 3, '2023-01-24 00:02:35.792114+00', true, NULL),
	(1, 3, '2023-01-24 01:37:24.919177+00', true, NULL),
	(1, 3, '2023-01-24 02:06:44.341642+00', true, NULL),
	(1, 3, '2023-01-24 03:07:00.300373+00', true, NULL),
	(1, 3, '2023-01-24 04:18:22.533322+00', false, NULL),
	(1, 3, '2023-01-24 05:00:20.094482+00', true, NULL),
	(1, 3, '2023-01-24 06:02:38.788103+00', true, NULL),
	(1, 3, '2023-01-24 08:08:27.097858+00', true, NULL),
	(1, 3, '2023-01-24 09:05:09.218373+00', true, NULL),
	(1, 3, '2023-01-24 10:07:27.36907+00', true, NULL),
	(1, 3, '2023-01-24 12:09:15.090216+00', true, NULL),
	(1, 3, '2023-01-24 13:03:27.156413+00', true, NULL),
	(1, 3, '2023-01-24 14:02:27.648472+00', true, NULL),
	(1, 3, '2023-01-24 15:13:25.008381+00', true, NULL),
	(1, 3, '2023-01-24 16:01:47.604638+00', true, NULL),
	(1, 3, '2023-01-24 17:07:39.469311+00', true, NULL),
	(1, 3, '2023-01-24 18:01:14.56822+00', true, NULL),
	(1, 3, '2023-01-24 19:09:44.017102+00', true, NULL),
	(1, 3, '2023-01-24 21:05:02.10898+00', true, NULL),
	(1, 3, '2023-01-24 22:05:18.221253+00', true, NULL),
	(1, 3, '2023-01-24 23:03:23.299023+00', true, NULL),
	(1, 3, '2023-01-24 23:59:05.952774+00', true, NULL),
	(2, 3, '2023-01-24 00:35:44.381911+00', true, NULL),
	(2, 3, '2023-01-24 01:03:12.897901+00', true, NULL),
	(2, 3, '2023-01-24 02:08:26.291637+00', true, NULL),
	(2, 3, '2023-01-24 03:42:04.538854+00', true, NULL),
	(2, 3, '2023-01-24 04:07:41.76274+00', true, NULL),
	(2, 3, '2023-01-24 05:01:33.937205+00', true, NULL),
	(2, 3, '2023-01-24 06:24:58.79996+00', true, NULL),
	(2, 3, '2023-01-24 07:05:01.84445+00', true, NULL),
	(2, 3, '2023-01-24 08:07:18.252956+00', true, NULL),
	(2, 3, '2023-01-24 09:04:53.38679+00', true, NULL),
	(2, 3, '2023-01-24 10:02:08.168638+00', true, NULL),
	(2, 3, '2023-01-24 11:16:47.149356+00', true, NULL),
	(2, 3, '2023-01-24 12:00:55.98835+00', true, NULL),
	(2, 3, '2023-01-24 13:05:10.024656+00', true, NULL),
	(2, 3, '2023-01-24 14:35:12.711268+00', true, NULL),
	(2, 3, '2023-01-24 15:02:14.053585+00', true, NULL),
	(2, 3, '2023-01-24 16:51:16.648682+00', true, NULL),
	(2, 3, '2023-01-24 17:02:13.790369+00', true, NULL),
	(2, 3, '2023-01-24 18:28:40.068184+00', true, NULL),
	(2, 3, '2023-01-24 19:01:22.990886+00', true, NULL),
	(2, 3, '2023-01-24 20:07:22.266748+00', true, NULL),
	(2, 3, '2023-01-24 21:02:04.82863+00', true, NULL),
	(2, 3, '2023-01-24 22:01:03.383976+00', true, NULL),
	(2, 3, '2023-01-24 23:05:06.985377+00', true, NULL),
	(3, 3, '2023-01-24 00:04:35.697629+00', true, NULL),
	(3, 3, '2023-01-24 01:03:40.264574+00', true, NULL),
	(3, 3, '2023-01-24 02:05:31.306337+00', true, NULL),
	(3, 3, '2023-01-24 03:21:02.148382+00', true, NULL),
	(3, 3, '2023-01-24 04:12:27.658267+00', true, NULL),
	(3, 3, '2023-01-24 05:02:27.575223+00', true, NULL),
	(3, 3, '2023-01-24 06:03:50.174811+00', true, NULL),
	(3, 3, '2023-01-24 07:09:48.431832+00', true, NULL),
	(3, 3, '2023-01-24 08:03:00.530403+00', false, NULL),
	(3, 3, '2023-01-24 09:04:35.544043+00', false, NULL),
	(3, 3, '2023-01-24 10:07:29.395717+00', false, NULL),
	(3, 3, '2023-01-24 11:00:21.930045+00', false, NULL),
	(3, 3, '2023-01-24 12:09:46.664098+00', false, NULL),
	(3, 3, '2023-01-24 13:07:29.008281+00', false, NULL),
	(3, 3, '2023-01-24 14:02:39.845947+00', false, NULL),
	(3, 3, '2023-01-24 15:07:41.875335+00', false, NULL),
	(3, 3, '2023-01-24 16:02:09.114161+00', false, NULL),
	(3, 3, '2023-01-24 17:01:43.687122+00', true, NULL),
	(3, 3, '2023-01-24 18:55:51.42255+00', true, NULL),
	(3, 3, '2023-01-24 19:55:47.492601+00', true, NULL),
	(3, 3, '2023-01-24 20:12:01.262419+00', true, NULL),
	(3, 3, '2023-01-24 21:11:25.244331+00', true, NULL),
	(3, 3, '2023-01-24 22:11:44.290197+00', true, NULL),
	(3, 3, '2023-01-24 23:23:07.438384+00', true, NULL);
INSERT INTO public.store_status_day VALUES
	('2023-01-23', 68, '2023-01-23 23:08:23.606472+00'),
	('2023-01-24', 70, '2023-01-24 23:59:05.952774+00');
INSERT INTO public.store_timezone VALUES
	(1, 'America/New_York', 1),
	(2, 'America/New_York', 1),
	(3, 'America/Los_Angeles', 1);
INSERT INTO public.watch_due OVERRIDING SYSTEM VALUE VALUES
	(1, 1, 1),
	(2, 2, 2),
	(3, 3, 3),
	(4, 1, 1),
	(5, 3, 3);
SELECT pg_catalog.setval('public.account_account_no_seq', 1, false);
SELECT pg_catalog.setval('public.alert_channel_channel_no_seq', 1, false);
SELECT pg_catalog.setval('public.audit_audit_no_seq', 2, true);
SELECT pg_catalog.setval('public.delivery_delivery_no_seq', 1, false);
SELECT pg_catalog.setval('public.exception_exception_no_seq', 1, false);
SELECT pg_catalog.setval('public.fleet_due_due_no_seq', 1, false);
SELECT pg_catalog.setval('public.history_due_due_no_seq', 3, true);
SELECT pg_catalog.setval('public.hours_week_week_no_seq', 2, true);
SELECT pg_catalog.setval('public.import_import_no_seq', 3, true);
SELECT pg_catalog.setval('public.incident_incident_no_seq', 1, false);
SELECT pg_catalog.setval('public.login_failure_failure_no_seq', 1, false);
SELECT pg_catalog.setval('public.notice_notice_no_seq', 1, false);
SELECT pg_catalog.setval('public.one_time_link_link_no_seq', 1, true);
SELECT pg_catalog.setval('public.outage_note_note_no_seq', 1, false);
SELECT pg_catalog.setval('public.report_report_no_seq', 1, true);
SELECT pg_catalog.setval('public.schedule_run_run_no_seq', 1, false);
SELECT pg_catalog.setval('public.schedule_schedule_no_seq', 1, false);
SELECT pg_catalog.setval('public.service_level_level_no_seq', 1, false);
SELECT pg_catalog.setval('public.share_share_no_seq', 1, false);
SELECT pg_catalog.setval('public.store_group_group_no_seq', 1, false);
SELECT pg_catalog.setval('public.store_store_key_seq', 3, true);
SELECT pg_catalog.setval('public.token_token_no_seq', 1, false);
SELECT pg_catalog.setval('public.upload_upload_no_seq', 1, false);
SELECT pg_catalog.setval('public.watch_due_due_no_seq', 5, true);
