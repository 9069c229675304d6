(select /*+ NO_MERGE(x) */ 1)
(select a from t order by 1) union (select b from t order by 2) order by 1
CREATE TABLE t (a INT)
CREATE TABLE t (a INT4)
DESC t
SELECT a BETWEEN 1 AND 2
alter table t add c int null, modify d int default null
alter table t add index (a), drop column b
alter table t alter a set default null
alter table t order by a
begin
call p(1,2,NULL)
call p(@a,null,1)
call p(null)
call p(null,null)
commit
create event e on schedule every 1 day do select 1
create function f3() returns int deterministic return -1
create function f4() returns int language javascript as $$ return 1; $$
create index i on t (a desc)
create index i on t (a)
create procedure p3(in a int, out b varchar(10)) begin declare continue handler for not found set @a=1; select 1 into b; end
create table q (a int default -1, b int default +1)
create table q2 (a int not null default 1, b varchar(10) character set utf8mb4 collate utf8mb4_bin null, primary key (a), key (b(10)))
create table q2 (a int, check (a is not null), b int generated always as (a+1) stored not null)
create table q3 (a int) partition by hash (a) partitions 4
create table q3 (a int) partition by list (a) (partition p0 values in (1,2), partition p1 values in (3))
create table q3 (a int) partition by range (a) (partition p0 values less than (10), partition p1 values less than maxvalue)
create table t (a int null, b int not null, c int default null, d varchar(10) default 'a')
create table u (a int default null, b int null default null, c int not null, d int null)
create table u (a int null, b timestamp null on update current_timestamp, c int default 1 null)
create trigger tr before insert on t for each row set new.a = -1
create user 'a'@'b' identified by 'c'
delete from t order by 1 limit 3
do -1
do sleep(1)
execute s using @a
explain format=json select 1
explain select 1
grant select (a) on slx.t to a@localhost
grant select, insert on *.* to 'a'@'%'
insert /*+ SET_VAR(foreign_key_checks=OFF) */ into t values (1)
insert into t (a,b) values (1,2) as n on duplicate key update a=n.a
insert into t select a, b from t order by 1 on duplicate key update a=1
insert into t set a=-1, b=+2
insert into t set a=null,b=null
insert into t values (-1), (-2)
insert into t values (1),(2),(3)
insert into t values (1),(null)
insert into t values (1,2),(3,4),(5,6)
insert into t values (1,NULL),(1,2)
insert into t values (1,default),(1,2)
insert into t values (1,null),(null,1)
insert into t values (NULL,1),(1,2)
insert into t values (null)
insert into t values (null),(1)
insert into t values (null),(null)
insert into t values (null,null),(null,null)
kill 5
load data infile 'x' into table t fields terminated by ',' enclosed by '"' lines terminated by '\n' ignore 1 lines (a,b) set c=null
lock tables t read
prepare s from 'select 1'
replace into t values (null,1)
select $a, a$b from t
select 'a' 'b', "a" 'c'
select 'a' collate utf8mb4_bin, b'1' + 1
select 'a' in ('a'), (1,2) in ((1,2),(3,4)), (1), ((1)), ((1,2))
select 'a' like 'b' escape null
select 'a','b',a,'c'
select 'a\'b', 'a''b', "a""b"
select (1), (1,2), ((1)), (1)+(2), (1),(2)
select (null), (null,null), (1,null), (null,1), ((null))
select (select 1), exists (select 1), a in (select 1)
select * from json_table('[1]', '$[*]' columns (a int path '$' default '1' on empty null on error, nested path '$.x' columns (b int path '$.y'))) x
select * from json_table('[1]', '$[*]' columns (a int path '$' null on empty)) x
select * from t where (not null)
select -1, - 1, +1, -a, 1-1, a-1, (-1), - -1, 1--1
select .5, 5., 5.5, t.5 from t
select /* hi */ a -- comment
select /*! straight_join */ a from t
select /*!50000 straight_join */ a from t
select /*!99999 straight_join */ a from t
select /*+ */ 1
select /*+ FOO(a) BKA(t) */ 1 from t
select /*+ INDEX(t i, j) JOIN_ORDER(t, u@qb) SEMIJOIN(@x MATERIALIZATION) RESOURCE_GROUP(a) */ 1 from t
select /*+ MAX_EXECUTION_TIME(100) */ /* c */ 1
select /*+ MAX_EXECUTION_TIME(1000) BKA(t1) INDEX(`t1` i) */ 1 from t1
select /*+ QB_NAME(qb) INDEX(t1@qb i) NO_ICP(@qb t1) */ 1
select /*+ SET_VAR(optimizer_switch='a=b') SET_VAR(max_join_size=-1) QB_NAME(`x y`) */ 1
select /*+ SET_VAR(sort_buffer_size=16) */ 1
select 0xAb, X'4a', B'01', 0Xab, 0B1
select 1 /*+ BKA(t) */
select 1 as a, 2 b
select 1 from dual where a like 'x' escape '|'
select 1 from t use index (i) force index for order by (j, k) ignore index (PRIMARY)
select 1 order by a desc
select 1 union select 2 order by 1 limit 1
select 1 where not null
select 1, null
select 1, null, 2 from t
select 18446744073709551615, 99999999999999999999, -99999999999999999999
select 1;
select 1a, a.1b, 1e5, 1.e5, .5, 1e+5, 1.5e-3, 1e, 0xzz, 0x
select 1e5a from t
select @a := 1, @`a b`, @@session.sql_mode, @@global.max_connections, @'a', @a.b
select @a:=null, @b
select _foo from t
select _latin1'a' collate latin1_bin
select _utf8 'a', _utf8mb3'b', _cp1251'a', _UTF8MB4'x'
select `a``b` from t
select `Ünï`, größe from t
select a # comment
select a -1, a - 1, a*-1, a/-1, a%-1, a^-1, a|-1, a&-1, a<<-1, a>>-1, a div -1, a mod -1
select a ->'$[0]', a->"$.b" = 1
select a <=> null, null+1, 1+null, -null, a like null, a between null and null
select a and -1, a or -1, a xor -1, not -1, ! -1, ~ -1, a || -1, a && -1, a between -1 and -2
select a as 'x', a 'y', a as "z"
select a from (select b from t order by 1) x where c = 2
select a from t group by 1 having a>1
select a from t group by 1 order by 2
select a from t group by 1 union select 2
select a from t group by 1, 2, 3
select a from t group by 1, b
select a from t group by 1, b with rollup
select a from t group by 1,2 with rollup
select a from t group by null
select a from t group by rollup(a,1)
select a from t having -1
select a from t join u on -1 = b
select a from t limit 1 offset 1
select a from t limit 1 offset 2
select a from t limit 1,2
select a from t order by 'x', a
select a from t order by (1)
select a from t order by (a), 2
select a from t order by +1
select a from t order by -1
select a from t order by -1, 2
select a from t order by 0
select a from t order by 007
select a from t order by 0x1, 1
select a from t order by 1 + 1
select a from t order by 1 -- x
select a from t order by 1 asc, 2 limit 1,2
select a from t order by 1 collate utf8mb4_bin
select a from t order by 1 desc, 2 asc, b
select a from t order by 1 for update
select a from t order by 1 in (1,2)
select a from t order by 1 into @x
select a from t order by 1 limit 1 offset 2
select a from t order by 1 limit 5
select a from t order by 1+a
select a from t order by 1, 'a', 2, 3
select a from t order by 1, 2 desc
select a from t order by 1.5
select a from t order by 1;
select a from t order by 2147483647
select a from t order by 2147483648, 1
select a from t order by 4294967295
select a from t order by 99999999999
select a from t order by 99999999999999999999999
select a from t order by a desc, 3 desc
select a from t order by a+1
select a from t order by a, 1
select a from t order by a, 1, 2, b
select a from t order by case when 1 then 2 end
select a from t order by f(1), 2
select a from t order by field(a,1,2), 2
select a from t order by null
select a from t order by true, 1
select a from t union all select null
select a from t where (a,b)=(null,1)
select a from t where -1 = a and (-1)=(-1) or -1
select a from t where a > all (select null)
select a from t where a and not null
select a from t where a in (null)
select a from t where a in (null, null, 1)
select a from t where a not in (null)
select a from t where a regexp 'x' and b rlike 'y'
select a from t where b in (select c from t group by 2)
select a from t where not null is null
select a from t window w as (partition by 1 order by 2 rows between 1 preceding and 2 following)
select a in ('x', b), a in (1,2,b), a in (b,1,2), a in (b)
select a in ((1),(2)), (a,b) in ((1,2),(3,4)), (a,b) in ((1,2))
select a in (1), a not in (1,2), a in (-1,2), 1 in (1,3)
select a in (1+1,2)
select a in (NULL), a in (1,NULL), a in (NULL,1), a in (1,NULL,2)
select a is null and b=null
select a is null, a is not null, a is true
select a member of ('[1]')
select a member of (null)
select a || b, a && b, a | b, !a, ~a, a <> b, a != b, a <=> b
select a->'$.b', a->>'$.c'
select a.*, b.`c` from `d`.`e` as a, `f` b natural join g
select a.*, t.* from t
select a.b.c, `a`.`b`, a . b, `select`.`from`
select a=-1, a<-1, a>-1, a<=-1, a>=-1, a<>-1, a!=-1, a<=>-1, a like -1, a regexp -1, a rlike -1
select a=null or null=a
select a`b``c` from t
select all -1
select all a from t
select binary -1, a collate utf8mb4_bin
select case null when null then null else null end
select case when a then null else null end
select cast(null as char), convert(null, char), convert(null using utf8mb4)
select char(65 using utf8mb4), convert(a using utf8mb4), cast(a as char character set utf8mb4)
select concat(null,'a',null)
select count(*) over w, first_value(null) over w from t window w as ()
select count(*), max(a) from t
select count(null), sum(null), group_concat(null)
select current_timestamp, current_timestamp(), now(3), localtime
select date '2020-01-01', time '10:00:00'
select distinct -1, a from t
select distinct(a), count(distinct a, b), sum(distinct -1) from t
select distinctrow a
select distinctrow a from t
select f(-1), f( -1, -2)
select f(1,2,a,3,4), f(a,1,2), f(1,a)
select f(null), f(null,null), f(1,null), f(null,1), f(a,null), f(null,a), f(1,null,2)
select group_concat(a order by 1, 2 separator ',') from t
select if(-1,-2,-3), case -1 when -2 then -3 else -4 end, -1, +-1, -+-1, - - - 1
select if(a is not null, 1, null), if(not a, null, 2)
select if(a,NULL,1), ifnull(NULL,1), coalesce(NULL,NULL,1)
select if(null,null,null), ifnull(null,a)
select interval(1,2,3)
select json_array(null,null)
select json_extract(a, '$.x'), a->>"$.y" from t
select json_object('a', null, 'b', 1)
select json_value(a, '$' null on empty)
select lag(a, 1, null) over (order by a)
select max (a) from t
select max(null) over ()
select mid(a,1,2), substr(a,1,2), substring(a from 1 for 2)
select not a in (1,2), a not in ((1,2),(3))
select now()
select now() + interval 1 day, now() - interval -1 day, interval 1 day + now(), interval '1:1' day_minute + now()
select nth_value(a,1) from first respect nulls over ()
select null as x, null y
select null collate utf8mb4_bin
select null from t
select null in (null), null not in (1,null)
select null is null, null is not null, null, null
select null is true, null is unknown
select null order by null
select null rlike null
select null union select null
select null, 1
select position('a' in 'b'), trim(leading 'x' from a), trim(both from a), extract(year from a), char(1,2)
select row(-1,2)
select row(null,1)=row(1,null)
select row_number() over w from t window w as (order by 1), x as (order by 2)
select status.a, session . b from t
select substring(a from -1), substring(a from -1 for -2)
select sum(a) over (order by 1) from t
select sum(a) over (partition by 1 order by 2) from t
select sum(a) over (partition by 1, 2) from t
select sum(a) over (partition by b order by c rows between 1 preceding and current row)
select t.1 from t
select t.1e5 from t
select timestamp '2020-01-01 00:00:00'
select true, false, NULL
select x'41', 0x41, b'01', 0b11, N'abc', n'abc', _utf8mb4'abc', _utf8mb4 x'41', _binary 'a'
select {d '2020-01-01'}, {ts '2020-01-01 00:00:00'}
set @@global.max_connections=-1, @x=+1
set @a='x', @@session.sql_mode=''
set @a=1, @b=2
set @a=null
set @a=null, @b=null
set @x:=-1
set @x=-1
set names utf8mb4
set session sort_buffer_size=-1
set sort_buffer_size=1, @@global.max_connections=2
show create table t
show fields from t
show full columns from t
show index from t where key_name='x'
show tables
show tables like 'x'
show variables like 'a%'
update t set a=1 order by 1 limit 1
update t set a=null where b is null
update t set a=null, b=null where c=null
values row(-1), row(2)
values row(1,2), row(3,4)
values row(null)
values row(null,1)
with recursive c as (select 1 union all select 2) select * from c
SELECT a FROM t WHERE a IN (0)
SELECT a FROM t WHERE a NOT IN ('0')
INSERT INTO t (a, b) VALUES (0, 'x0')
INSERT INTO t VALUES (0)
SELECT a FROM t WHERE (a, b) IN ((0,0))
SELECT f(a, 0)
SELECT a FROM t WHERE a IN (0, 1)
SELECT a FROM t WHERE a NOT IN ('0','1')
INSERT INTO t (a, b) VALUES (0, 'x0'), (1, 'x1')
INSERT INTO t VALUES (0),(1)
SELECT a FROM t WHERE (a, b) IN ((0,0), (1,1))
SELECT f(a, 0, 1)
SELECT a FROM t WHERE a IN (0, 1, 2)
SELECT a FROM t WHERE a NOT IN ('0','1','2')
INSERT INTO t (a, b) VALUES (0, 'x0'), (1, 'x1'), (2, 'x2')
INSERT INTO t VALUES (0),(1),(2)
SELECT a FROM t WHERE (a, b) IN ((0,0), (1,1), (2,2))
SELECT f(a, 0, 1, 2)
SELECT a FROM t WHERE a IN (0, 1, 2, 3, 4, 5, 6, 7, 8)
SELECT a FROM t WHERE a NOT IN ('0','1','2','3','4','5','6','7','8')
INSERT INTO t (a, b) VALUES (0, 'x0'), (1, 'x1'), (2, 'x2'), (3, 'x3'), (4, 'x4'), (5, 'x5'), (6, 'x6'), (7, 'x7'), (8, 'x8')
INSERT INTO t VALUES (0),(1),(2),(3),(4),(5),(6),(7),(8)
SELECT a FROM t WHERE (a, b) IN ((0,0), (1,1), (2,2), (3,3), (4,4), (5,5), (6,6), (7,7), (8,8))
SELECT f(a, 0, 1, 2, 3, 4, 5, 6, 7, 8)
SELECT COUNT(a) FROM t GROUP BY b
select count(a) over (partition by b order by c) from t
SELECT SUM(a) FROM t GROUP BY b
select sum(a) over (partition by b order by c) from t
SELECT MIN(a) FROM t GROUP BY b
select min(a) over (partition by b order by c) from t
SELECT MAX(a) FROM t GROUP BY b
select max(a) over (partition by b order by c) from t
SELECT AVG(a) FROM t GROUP BY b
select avg(a) over (partition by b order by c) from t
SELECT GROUP_CONCAT(a) FROM t GROUP BY b
select group_concat(a) over (partition by b order by c) from t
SELECT STDDEV(a) FROM t GROUP BY b
select stddev(a) over (partition by b order by c) from t
SELECT VARIANCE(a) FROM t GROUP BY b
select variance(a) over (partition by b order by c) from t
SELECT BIT_AND(a) FROM t GROUP BY b
select bit_and(a) over (partition by b order by c) from t
SELECT JSON_ARRAYAGG(a) FROM t GROUP BY b
select json_arrayagg(a) over (partition by b order by c) from t
SELECT a, b FROM t ORDER BY 1 DESC
SELECT a, b FROM t ORDER BY 1 DESC LIMIT 10
SELECT a, b FROM t ORDER BY 2, a DESC
SELECT a, b FROM t ORDER BY 2, a DESC LIMIT 10
CREATE TABLE x1 (a INT NOT NULL, b VARCHAR(1) DEFAULT 'q', c DECIMAL(10,2) NULL, PRIMARY KEY (a))
CREATE TABLE x2 (a INT NOT NULL, b VARCHAR(2) DEFAULT 'q', c DECIMAL(10,2) NULL, PRIMARY KEY (a))
CREATE TABLE x3 (a INT NOT NULL, b VARCHAR(3) DEFAULT 'q', c DECIMAL(10,2) NULL, PRIMARY KEY (a))
DROP TABLE IF EXISTS x1
ALTER TABLE t ADD COLUMN z BIGINT UNSIGNED DEFAULT 0
ALTER TABLE t ADD COLUMN z BIGINT UNSIGNED DEFAULT 1
TRUNCATE TABLE t
RENAME TABLE t TO u
CREATE VIEW v AS SELECT 1
ANALYZE TABLE t
OPTIMIZE TABLE t
SHOW STATUS LIKE 'a%'
SHOW GLOBAL VARIABLES WHERE variable_name = 'x'
FLUSH TABLES
START TRANSACTION READ ONLY
ROLLBACK
SAVEPOINT s1
RELEASE SAVEPOINT s1
SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED
SET autocommit = 0
SET autocommit = 1
USE slx
KILL QUERY 12
CHECK TABLE t
HANDLER t OPEN
XA START 'x'
select a from t where b = 1
SELECT  a  FROM  t  WHERE  b  =  1
SELECT\na\nFROM\nt\nWHERE\nb\n=\n1
SELECT a /* in */ FROM t WHERE b = 1
SELECT a FROM t WHERE b = 1001
SELECT `a` FROM t WHERE b = 1
update t set a = 1 where b = 2
UPDATE  t  SET  a  =  1  WHERE  b  =  2
UPDATE\nt\nSET\na\n=\n1\nWHERE\nb\n=\n2
UPDATE t SET a = 1001 WHERE b = -2002
UPDATE t SET `a` = 1 WHERE b = 2
delete from t where a = 1 limit 5
DELETE  FROM  t  WHERE  a  =  1  LIMIT  5
DELETE\nFROM\nt\nWHERE\na\n=\n1\nLIMIT\n5
DELETE /* in */ FROM t WHERE a = 1 LIMIT 5
DELETE FROM t WHERE a = 1001 LIMIT 5
DELETE FROM t WHERE `a` = 1 LIMIT 5
insert into t (a) select b from u where c > 5
INSERT  INTO  t  (a)  SELECT  b  FROM  u  WHERE  c  >  5
INSERT\nINTO\nt\n(a)\nSELECT\nb\nFROM\nu\nWHERE\nc\n>\n5
INSERT INTO t (a) SELECT b /* in */ FROM u WHERE c > 5
SELECT  /*+  BKA(t)  */  a  FROM  t  JOIN  u  USING  (b)  WHERE  u.c  =  'x'
SELECT\n/*+\nBKA(t)\n*/\na\nFROM\nt\nJOIN\nu\nUSING\n(b)\nWHERE\nu.c\n=\n'x'
SELECT /*+ BKA(t) */ a /* in */ FROM t JOIN u USING (b) WHERE u.c = 'x'
SELECT /*+ BKA(t) */ `a` FROM t JOIN u USING (b) WHERE u.c = 'x'
with q as (select a from t where b = 3) select * from q
WITH  q  AS  (SELECT  a  FROM  t  WHERE  b  =  3)  SELECT  *  FROM  q
WITH\nq\nAS\n(SELECT\na\nFROM\nt\nWHERE\nb\n=\n3)\nSELECT\n*\nFROM\nq
WITH q AS (SELECT a /* in */ FROM t WHERE b = 3) SELECT * /* in */ FROM q
WITH q AS (SELECT a FROM t WHERE b = 0x3) SELECT * FROM q
WITH q AS (SELECT `a` FROM t WHERE b = 3) SELECT * FROM q
