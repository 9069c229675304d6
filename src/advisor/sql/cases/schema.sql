CREATE TABLE customers (
  id int NOT NULL,
  name varchar(100) NOT NULL,
  email varchar(200),
  country char(2),
  tags json,
  created datetime NOT NULL,
  code varchar(20) COLLATE utf8mb4_bin,
  PRIMARY KEY (id)
);
CREATE TABLE orders (
  id int NOT NULL,
  customer_id int NOT NULL,
  state varchar(20) NOT NULL,
  total decimal(10,2) NOT NULL,
  created datetime NOT NULL,
  shipped datetime,
  note text,
  data json,
  PRIMARY KEY (id),
  KEY k_customer (customer_id),
  KEY k_state (state)
);
CREATE TABLE items (
  order_id int NOT NULL,
  line int NOT NULL,
  product_id int NOT NULL,
  quantity int NOT NULL,
  price decimal(10,2) NOT NULL,
  PRIMARY KEY (order_id, line)
);
CREATE TABLE products (
  id int NOT NULL,
  sku varchar(40) NOT NULL,
  name varchar(200) NOT NULL,
  category_id int,
  attributes json,
  body text,
  PRIMARY KEY (id),
  FULLTEXT KEY ft (name, body)
);
CREATE TABLE categories (
  id int NOT NULL,
  parent_id int,
  name varchar(100) NOT NULL,
  PRIMARY KEY (id)
);
CREATE TABLE events (
  id bigint NOT NULL,
  kind varchar(30) NOT NULL,
  ref varchar(40),
  at timestamp NOT NULL,
  a int,
  b int,
  c int,
  PRIMARY KEY (id)
);
CREATE TABLE stock (
  product_id int NOT NULL,
  place int NOT NULL,
  amount int NOT NULL,
  PRIMARY KEY (product_id, place)
);
CREATE TABLE archive (
  id int NOT NULL,
  customer_id int NOT NULL,
  state varchar(20) NOT NULL,
  total decimal(10,2) NOT NULL,
  PRIMARY KEY (id)
);
CREATE VIEW v_open AS select app.orders.id AS id,app.orders.customer_id AS customer_id,app.orders.total AS total,app.orders.created AS created from app.orders where (app.orders.state = 'open');
CREATE VIEW v_rich AS select v_open.id AS id,v_open.customer_id AS customer_id,v_open.created AS created from app.v_open where (v_open.total > 1000);
CREATE VIEW v_sums AS select app.orders.customer_id AS customer_id,sum(app.orders.total) AS total from app.orders group by app.orders.customer_id
