-- The ten functions of uuid-ossp 1.1 without a C module: same names, argument names, volatility,
-- strictness and parallel marks as the stock extension. RFC 9562 gives the layouts.
--
-- SQL-standard bodies are resolved here, at creation, so the caller's search_path cannot change
-- what they call; names are qualified since the target schema may hold functions of others.

\echo Use CREATE EXTENSION "uuid-ossp" to load this file. \quit

CREATE FUNCTION uuid_nil() RETURNS uuid
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN CAST('00000000-0000-0000-0000-000000000000' AS pg_catalog.uuid);

CREATE FUNCTION uuid_ns_dns() RETURNS uuid
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN CAST('6ba7b810-9dad-11d1-80b4-00c04fd430c8' AS pg_catalog.uuid);

CREATE FUNCTION uuid_ns_url() RETURNS uuid
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN CAST('6ba7b811-9dad-11d1-80b4-00c04fd430c8' AS pg_catalog.uuid);

CREATE FUNCTION uuid_ns_oid() RETURNS uuid
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN CAST('6ba7b812-9dad-11d1-80b4-00c04fd430c8' AS pg_catalog.uuid);

CREATE FUNCTION uuid_ns_x500() RETURNS uuid
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN CAST('6ba7b814-9dad-11d1-80b4-00c04fd430c8' AS pg_catalog.uuid);

-- Time in 100 ns since 1582-10-15 (server clocks give 1 us: the last digit is random), then a
-- random clock sequence (the fourth group of a version 4 has just its layout), then a node made
-- from the cluster's identifier, with the multicast bit that marks it as no network card's.
CREATE FUNCTION uuid_generate_v1() RETURNS uuid
LANGUAGE sql VOLATILE STRICT PARALLEL SAFE
RETURN (
    SELECT CAST(pg_catalog.concat(
        pg_catalog.substr(t.ticks, 8, 8), '-', pg_catalog.substr(t.ticks, 4, 4), '-1',
        pg_catalog.substr(t.ticks, 1, 3), '-', pg_catalog.substr(r.random, 20, 4), '-',
        pg_catalog.substr(n.node, 1, 1),
        pg_catalog.translate(pg_catalog.substr(n.node, 2, 1), '02468ace', '13579bdf'),
        pg_catalog.substr(n.node, 3, 10)
    ) AS pg_catalog.uuid)
    FROM (
        SELECT pg_catalog.to_hex(
            CAST(EXTRACT(epoch FROM pg_catalog.clock_timestamp())
                OPERATOR(pg_catalog.*) 10000000 AS bigint)
            OPERATOR(pg_catalog.+) CAST(pg_catalog.floor(
                pg_catalog.random() OPERATOR(pg_catalog.*) 10) AS bigint)
            OPERATOR(pg_catalog.+) 122192928000000000
        ) AS ticks
    ) AS t,
    (SELECT CAST(pg_catalog.gen_random_uuid() AS text) AS random) AS r,
    (
        SELECT pg_catalog.md5(CAST(c.system_identifier AS text)) AS node
        FROM pg_catalog.pg_control_system() AS c
    ) AS n
);

-- As version 1, with a node that is random at every call.
CREATE FUNCTION uuid_generate_v1mc() RETURNS uuid
LANGUAGE sql VOLATILE STRICT PARALLEL SAFE
RETURN (
    SELECT CAST(pg_catalog.concat(
        pg_catalog.substr(t.ticks, 8, 8), '-', pg_catalog.substr(t.ticks, 4, 4), '-1',
        pg_catalog.substr(t.ticks, 1, 3), '-', pg_catalog.substr(r.random, 20, 6),
        pg_catalog.translate(pg_catalog.substr(r.random, 26, 1), '02468ace', '13579bdf'),
        pg_catalog.substr(r.random, 27, 10)
    ) AS pg_catalog.uuid)
    FROM (
        SELECT pg_catalog.to_hex(
            CAST(EXTRACT(epoch FROM pg_catalog.clock_timestamp())
                OPERATOR(pg_catalog.*) 10000000 AS bigint)
            OPERATOR(pg_catalog.+) CAST(pg_catalog.floor(
                pg_catalog.random() OPERATOR(pg_catalog.*) 10) AS bigint)
            OPERATOR(pg_catalog.+) 122192928000000000
        ) AS ticks
    ) AS t,
    (SELECT CAST(pg_catalog.gen_random_uuid() AS text) AS random) AS r
);

-- The name is hashed as the bytes of the server's encoding, as the C module does; convert_to()
-- would be only STABLE. Doubled backslashes make decode() take every byte as it is.
CREATE FUNCTION uuid_generate_v3(namespace uuid, name text) RETURNS uuid
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN (
    SELECT CAST(pg_catalog.concat(
        pg_catalog.substr(h.hash, 1, 12), '3', pg_catalog.substr(h.hash, 14, 3),
        pg_catalog.translate(
            pg_catalog.substr(h.hash, 17, 1), '0123456789abcdef', '89ab89ab89ab89ab'),
        pg_catalog.substr(h.hash, 18, 15)
    ) AS pg_catalog.uuid)
    FROM (
        SELECT pg_catalog.md5(
            pg_catalog.uuid_send(namespace) OPERATOR(pg_catalog.||) pg_catalog.decode(
                pg_catalog.replace(name, E'\\', E'\\\\'), 'escape')
        ) AS hash
    ) AS h
);

CREATE FUNCTION uuid_generate_v4() RETURNS uuid
LANGUAGE sql VOLATILE STRICT PARALLEL SAFE
RETURN pg_catalog.gen_random_uuid();

-- SHA-1 (RFC 3174) written out: the server has md5 and the SHA-2 family only. Words are kept in
-- bigint and cut to 32 bits, as integer would overflow.
CREATE FUNCTION uuid_generate_v5(namespace uuid, name text) RETURNS uuid
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
    mask CONSTANT bigint := 4294967295;
    message bytea := uuid_send(namespace) || decode(replace(name, E'\\', E'\\\\'), 'escape');
    bits CONSTANT bigint := octet_length(message)::bigint * 8;
    h0 bigint := 1732584193;
    h1 bigint := 4023233417;
    h2 bigint := 2562383102;
    h3 bigint := 271733878;
    h4 bigint := 3285377520;
    a bigint;
    b bigint;
    c bigint;
    d bigint;
    e bigint;
    next_a bigint;
    word bigint;
    w bigint[];
    digest text;
BEGIN
    message := message || '\x80'::bytea
        || decode(repeat('00', (119 - octet_length(message) % 64) % 64), 'hex')
        || int8send(bits);
    FOR chunk IN 0 .. octet_length(message) / 64 - 1 LOOP
        FOR i IN 0 .. 15 LOOP
            w[i] := ('x' || encode(substr(message, chunk * 64 + i * 4 + 1, 4), 'hex'))
                ::bit(32)::bigint & mask;
        END LOOP;
        FOR i IN 16 .. 79 LOOP
            word := w[i - 3] # w[i - 8] # w[i - 14] # w[i - 16];
            w[i] := ((word << 1) | (word >> 31)) & mask;
        END LOOP;
        a := h0;
        b := h1;
        c := h2;
        d := h3;
        e := h4;
        FOR i IN 0 .. 19 LOOP
            next_a := (((a << 5) | (a >> 27)) & mask)
                + ((b & c) | (~b & d & mask)) + e + 1518500249 + w[i] & mask;
            e := d;
            d := c;
            c := ((b << 30) | (b >> 2)) & mask;
            b := a;
            a := next_a;
        END LOOP;
        FOR i IN 20 .. 39 LOOP
            next_a := (((a << 5) | (a >> 27)) & mask)
                + (b # c # d) + e + 1859775393 + w[i] & mask;
            e := d;
            d := c;
            c := ((b << 30) | (b >> 2)) & mask;
            b := a;
            a := next_a;
        END LOOP;
        FOR i IN 40 .. 59 LOOP
            next_a := (((a << 5) | (a >> 27)) & mask)
                + ((b & c) | (b & d) | (c & d)) + e + 2400959708 + w[i] & mask;
            e := d;
            d := c;
            c := ((b << 30) | (b >> 2)) & mask;
            b := a;
            a := next_a;
        END LOOP;
        FOR i IN 60 .. 79 LOOP
            next_a := (((a << 5) | (a >> 27)) & mask)
                + (b # c # d) + e + 3395469782 + w[i] & mask;
            e := d;
            d := c;
            c := ((b << 30) | (b >> 2)) & mask;
            b := a;
            a := next_a;
        END LOOP;
        h0 := (h0 + a) & mask;
        h1 := (h1 + b) & mask;
        h2 := (h2 + c) & mask;
        h3 := (h3 + d) & mask;
        h4 := (h4 + e) & mask;
    END LOOP;
    digest := lpad(to_hex(h0), 8, '0') || lpad(to_hex(h1), 8, '0')
        || lpad(to_hex(h2), 8, '0') || lpad(to_hex(h3), 8, '0');
    RETURN (substr(digest, 1, 12) || '5' || substr(digest, 14, 3)
        || translate(substr(digest, 17, 1), '0123456789abcdef', '89ab89ab89ab89ab')
        || substr(digest, 18, 15))::uuid;
END
$body$;
