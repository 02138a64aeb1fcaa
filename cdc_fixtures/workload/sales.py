"""The keyspace and the 21 statements for which the records of the JVM connector are known."""

from .cql import keyspace


def setup(target):
    def ident(number):
        return f"a0000000-0000-11f0-8000-{number:012}"

    return [
        keyspace("sales"),
        "CREATE TYPE sales.addr (street text, zip int, tags frozen<set<text>>)",
        f"CREATE TABLE sales.audit (id uuid PRIMARY KEY, at timestamp, payload blob, what text, who text) WITH ID = {ident(3)}",
        "CREATE TABLE sales.events (event_id text PRIMARY KEY, amount double, event_ts timestamp, status text, user_id text, "
        f"attrs map<text, text>) WITH ID = {ident(1)} AND cdc = true",
        "CREATE TABLE sales.wide (tenant text, bucket int, seq bigint, tid timeuuid, s_cnt int static, s_note text static, b blob, "
        "bo boolean, c_big bigint, c_dec decimal, c_inet inet, c_int int, c_uuid uuid, d date, du duration, t time, "
        "tp frozen<tuple<int, text, boolean>>, u frozen<addr>, vi varint, l list<text>, m map<text, bigint>, s set<int>, "
        f"PRIMARY KEY ((tenant, bucket), seq, tid)) WITH ID = {ident(2)} AND cdc = true",
    ]


def run(target):
    return [line.rstrip(";") for line in STATEMENTS.strip().splitlines()]


STATEMENTS = r"""
INSERT INTO sales.events(event_id,user_id,event_ts,amount,status,attrs) VALUES('S1','u1','2026-01-02 03:04:05.678+0000',12.5,'NEW',{'channel':'web','country':'de'});
UPDATE sales.events SET status='PAID', amount=13.75 WHERE event_id='S1';
UPDATE sales.events SET attrs['channel']='app' WHERE event_id='S1';
UPDATE sales.events SET attrs = attrs - {'country'} WHERE event_id='S1';
UPDATE sales.events SET attrs = {'k':'v'} WHERE event_id='S1';
DELETE status FROM sales.events WHERE event_id='S1';
INSERT INTO sales.events(event_id,user_id,status) VALUES('S2-TTL','u2','TTL') USING TTL 3600;
INSERT INTO sales.events(event_id,user_id,status) VALUES('S3-NULL','u3',null);
DELETE FROM sales.events WHERE event_id='S1';
INSERT INTO sales.wide(tenant,bucket,seq,tid,c_int,c_big,c_dec,c_uuid,c_inet,l,s,m,u,tp,b,bo,d,t,vi,du) VALUES('W1',1,10,50554d6e-29bb-11e5-b345-feff819cdc9f,42,9007199254740993,12345.6789,5132b130-ae79-11e4-ab27-0800200c9a66,'10.1.2.3',['a','b'],{1,2},{'x':1},{street:'Main',zip:12345,tags:{'p','q'}},(7,'t',true),0xdeadbeef,true,'2026-01-02','03:04:05.123456789',123456789012345678901234567890,1mo2d3h);
UPDATE sales.wide SET l=l+['c'], s=s-{1}, m['y']=2 WHERE tenant='W1' AND bucket=1 AND seq=10 AND tid=50554d6e-29bb-11e5-b345-feff819cdc9f;
UPDATE sales.wide SET s_note='static note', s_cnt=5 WHERE tenant='W1' AND bucket=1;
INSERT INTO sales.wide(tenant,bucket,seq,tid,s_note,c_int) VALUES('W1',1,11,50554d6e-29bb-11e5-b345-feff819cdc9f,'static with row',1);
DELETE c_int FROM sales.wide WHERE tenant='W1' AND bucket=1 AND seq=11 AND tid=50554d6e-29bb-11e5-b345-feff819cdc9f;
DELETE FROM sales.wide WHERE tenant='W1' AND bucket=1 AND seq=10 AND tid=50554d6e-29bb-11e5-b345-feff819cdc9f;
DELETE FROM sales.wide WHERE tenant='W1' AND bucket=1 AND seq>=5 AND seq<20;
DELETE FROM sales.wide WHERE tenant='W1' AND bucket=1 AND seq=77;
DELETE FROM sales.wide WHERE tenant='W1' AND bucket=1;
BEGIN BATCH INSERT INTO sales.events(event_id,status) VALUES('S4-BATCH','b') INSERT INTO sales.audit(id,who) VALUES(5132b130-ae79-11e4-ab27-0800200c9a66,'x') APPLY BATCH;
INSERT INTO sales.events(event_id,status) VALUES('S5-LWT','lwt') IF NOT EXISTS;
INSERT INTO sales.wide(tenant,bucket,seq,tid,vi,c_dec) VALUES('W2',1,1,50554d6e-29bb-11e5-b345-feff819cdc9f,170141183460469231731687303715884105727,1.23456789012345678901234567890E-5);
"""
