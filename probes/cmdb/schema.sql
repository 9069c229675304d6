-- The network CMDB as the application that grew without a DBA made it: every index here is a
-- primary, unique or foreign-key index. SCHEMA.md says why the columns are what they are.

CREATE TABLE enum_resource_status (
  id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  code VARCHAR(32) NOT NULL,
  label VARCHAR(64) NOT NULL,
  sort_order SMALLINT UNSIGNED NOT NULL DEFAULT 0,
  is_active BOOLEAN NOT NULL DEFAULT TRUE,
  created_at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
  updated_at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
  PRIMARY KEY (id),
  UNIQUE KEY uq_resource_status_code (code)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci;

CREATE TABLE enum_aws_regions (
  id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  code VARCHAR(32) NOT NULL,
  label VARCHAR(64) NOT NULL,
  sort_order SMALLINT UNSIGNED NOT NULL DEFAULT 0,
  is_active BOOLEAN NOT NULL DEFAULT TRUE,
  created_at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
  updated_at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
  PRIMARY KEY (id),
  UNIQUE KEY uq_aws_regions_code (code)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci;

CREATE TABLE enum_network_resource_types (
  id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  code VARCHAR(32) NOT NULL,
  label VARCHAR(64) NOT NULL,
  sort_order SMALLINT UNSIGNED NOT NULL DEFAULT 0,
  is_active BOOLEAN NOT NULL DEFAULT TRUE,
  created_at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
  updated_at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
  PRIMARY KEY (id),
  UNIQUE KEY uq_network_resource_types_code (code)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci;

CREATE TABLE enum_connection_states (
  id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  code VARCHAR(32) NOT NULL,
  label VARCHAR(64) NOT NULL,
  sort_order SMALLINT UNSIGNED NOT NULL DEFAULT 0,
  is_active BOOLEAN NOT NULL DEFAULT TRUE,
  created_at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
  updated_at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
  PRIMARY KEY (id),
  UNIQUE KEY uq_connection_states_code (code)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci;

CREATE TABLE enum_attachment_states (
  id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  code VARCHAR(32) NOT NULL,
  label VARCHAR(64) NOT NULL,
  sort_order SMALLINT UNSIGNED NOT NULL DEFAULT 0,
  is_active BOOLEAN NOT NULL DEFAULT TRUE,
  created_at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
  updated_at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
  PRIMARY KEY (id),
  UNIQUE KEY uq_attachment_states_code (code)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci;

CREATE TABLE vpcs (
  id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  -- AWS identifiers
  aws_account_id CHAR(12) CHARACTER SET ascii NOT NULL,
  region_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NULL,
  vpc_id VARCHAR(32) NOT NULL,
  name VARCHAR(128) NOT NULL,
  status_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NULL,
  -- network
  cidr_block VARCHAR(43) NOT NULL,
  associated_cidr_blocks JSON NOT NULL,
  ipv6_cidr_block VARCHAR(43) NULL,
  enable_dns_support BOOLEAN NOT NULL DEFAULT TRUE,
  enable_dns_hostnames BOOLEAN NOT NULL DEFAULT FALSE,
  dhcp_options JSON NULL,
  instance_tenancy VARCHAR(16) NOT NULL DEFAULT 'default',
  is_default BOOLEAN NOT NULL DEFAULT FALSE,
  tags JSON NOT NULL,
  -- business metadata
  environment VARCHAR(32) NOT NULL,
  project VARCHAR(64) NOT NULL,
  cost_center VARCHAR(32) NULL,
  owner_email VARCHAR(128) NOT NULL,
  -- sync tracking
  source_system VARCHAR(32) NOT NULL,
  sync_version BIGINT UNSIGNED NOT NULL DEFAULT 1,
  last_synced_at DATETIME(6) NULL,
  created_at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
  updated_at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
  deleted_at DATETIME(6) NULL,
  PRIMARY KEY (id),
  UNIQUE KEY uq_vpcs_vpc_id (vpc_id),
  CONSTRAINT fk_vpcs_region FOREIGN KEY (region_id)
    REFERENCES enum_aws_regions (id) ON DELETE SET NULL ON UPDATE CASCADE,
  CONSTRAINT fk_vpcs_status FOREIGN KEY (status_id)
    REFERENCES enum_resource_status (id) ON DELETE SET NULL ON UPDATE CASCADE,
  CONSTRAINT ck_vpcs_tenancy CHECK (instance_tenancy IN ('default', 'dedicated', 'host')),
  CONSTRAINT ck_vpcs_cidrs CHECK (JSON_TYPE(associated_cidr_blocks) = 'ARRAY'),
  CONSTRAINT ck_vpcs_tags CHECK (JSON_TYPE(tags) = 'OBJECT')
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci;

CREATE TABLE subnets (
  id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  vpc_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  subnet_id VARCHAR(32) NOT NULL,
  name VARCHAR(128) NOT NULL,
  status_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NULL,
  cidr_block VARCHAR(43) NOT NULL,
  ipv6_cidr_block VARCHAR(43) NULL,
  availability_zone VARCHAR(32) NOT NULL,
  map_public_ip_on_launch BOOLEAN NOT NULL DEFAULT FALSE,
  assign_ipv6_on_creation BOOLEAN NOT NULL DEFAULT FALSE,
  route_table_id VARCHAR(32) NULL,
  network_acl_id VARCHAR(32) NULL,
  subnet_type VARCHAR(16) NOT NULL,
  application_tier VARCHAR(16) NULL,
  available_ip_count INT UNSIGNED NOT NULL DEFAULT 0,
  tags JSON NOT NULL,
  source_system VARCHAR(32) NOT NULL,
  sync_version BIGINT UNSIGNED NOT NULL DEFAULT 1,
  last_synced_at DATETIME(6) NULL,
  created_at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
  updated_at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
  deleted_at DATETIME(6) NULL,
  PRIMARY KEY (id),
  UNIQUE KEY uq_subnets_subnet_id (subnet_id),
  CONSTRAINT fk_subnets_vpc FOREIGN KEY (vpc_id)
    REFERENCES vpcs (id) ON DELETE CASCADE ON UPDATE CASCADE,
  CONSTRAINT fk_subnets_status FOREIGN KEY (status_id)
    REFERENCES enum_resource_status (id) ON DELETE SET NULL ON UPDATE CASCADE,
  CONSTRAINT ck_subnets_type CHECK (subnet_type IN ('public', 'private', 'isolated')),
  CONSTRAINT ck_subnets_tags CHECK (JSON_TYPE(tags) = 'OBJECT')
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci;

CREATE TABLE transit_gateways (
  id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  aws_account_id CHAR(12) CHARACTER SET ascii NOT NULL,
  region_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NULL,
  transit_gateway_id VARCHAR(32) NOT NULL,
  name VARCHAR(128) NOT NULL,
  status_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NULL,
  amazon_side_asn BIGINT UNSIGNED NOT NULL,
  default_route_table_association BOOLEAN NOT NULL DEFAULT TRUE,
  default_route_table_propagation BOOLEAN NOT NULL DEFAULT TRUE,
  association_default_route_table_id VARCHAR(32) NULL,
  propagation_default_route_table_id VARCHAR(32) NULL,
  dns_support BOOLEAN NOT NULL DEFAULT TRUE,
  multicast_support BOOLEAN NOT NULL DEFAULT FALSE,
  cidr_blocks JSON NOT NULL,
  architecture_class VARCHAR(16) NOT NULL,
  tags JSON NOT NULL,
  environment VARCHAR(32) NOT NULL,
  cost_center VARCHAR(32) NULL,
  owner_email VARCHAR(128) NOT NULL,
  source_system VARCHAR(32) NOT NULL,
  sync_version BIGINT UNSIGNED NOT NULL DEFAULT 1,
  last_synced_at DATETIME(6) NULL,
  created_at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
  updated_at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
  deleted_at DATETIME(6) NULL,
  PRIMARY KEY (id),
  UNIQUE KEY uq_transit_gateways_transit_gateway_id (transit_gateway_id),
  CONSTRAINT fk_transit_gateways_region FOREIGN KEY (region_id)
    REFERENCES enum_aws_regions (id) ON DELETE SET NULL ON UPDATE CASCADE,
  CONSTRAINT fk_transit_gateways_status FOREIGN KEY (status_id)
    REFERENCES enum_resource_status (id) ON DELETE SET NULL ON UPDATE CASCADE,
  CONSTRAINT ck_transit_gateways_asn CHECK (amazon_side_asn BETWEEN 1 AND 4294967294),
  CONSTRAINT ck_transit_gateways_class CHECK (architecture_class IN ('hub', 'spoke', 'inspection'))
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci;

CREATE TABLE customer_gateways (
  id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  aws_account_id CHAR(12) CHARACTER SET ascii NOT NULL,
  region_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NULL,
  customer_gateway_id VARCHAR(32) NOT NULL,
  name VARCHAR(128) NOT NULL,
  connection_state_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NULL,
  device_vendor VARCHAR(32) NOT NULL,
  device_model VARCHAR(64) NOT NULL,
  software_version VARCHAR(32) NULL,
  bgp_asn BIGINT UNSIGNED NOT NULL,
  ip_address VARCHAR(45) NOT NULL,
  location VARCHAR(128) NOT NULL,
  contact_name VARCHAR(64) NULL,
  contact_email VARCHAR(128) NOT NULL,
  redundancy_group VARCHAR(32) NULL,
  certificate_arn VARCHAR(160) NULL,
  uses_certificate_authentication BOOLEAN NOT NULL DEFAULT FALSE,
  options JSON NOT NULL,
  tags JSON NOT NULL,
  cost_center VARCHAR(32) NULL,
  source_system VARCHAR(32) NOT NULL,
  sync_version BIGINT UNSIGNED NOT NULL DEFAULT 1,
  last_synced_at DATETIME(6) NULL,
  created_at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
  updated_at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
  deleted_at DATETIME(6) NULL,
  PRIMARY KEY (id),
  UNIQUE KEY uq_customer_gateways_customer_gateway_id (customer_gateway_id),
  CONSTRAINT fk_customer_gateways_region FOREIGN KEY (region_id)
    REFERENCES enum_aws_regions (id) ON DELETE SET NULL ON UPDATE CASCADE,
  CONSTRAINT fk_customer_gateways_state FOREIGN KEY (connection_state_id)
    REFERENCES enum_connection_states (id) ON DELETE SET NULL ON UPDATE CASCADE,
  CONSTRAINT ck_customer_gateways_asn CHECK (bgp_asn BETWEEN 1 AND 4294967294),
  CONSTRAINT ck_customer_gateways_certificate CHECK (
    uses_certificate_authentication = FALSE OR certificate_arn IS NOT NULL
  )
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci;

CREATE TABLE transit_gateway_attachments (
  id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  transit_gateway_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  attachment_id VARCHAR(40) NOT NULL,
  name VARCHAR(128) NULL,
  resource_type_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NULL,
  -- The AWS id of whatever is attached: a VPC, VPN connection, Direct Connect gateway or peer.
  resource_id VARCHAR(64) NOT NULL,
  resource_owner_account_id CHAR(12) CHARACTER SET ascii NOT NULL,
  customer_gateway_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NULL,
  state_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NULL,
  is_cross_account BOOLEAN NOT NULL DEFAULT FALSE,
  dns_support BOOLEAN NOT NULL DEFAULT TRUE,
  ipv6_support BOOLEAN NOT NULL DEFAULT FALSE,
  appliance_mode_support BOOLEAN NOT NULL DEFAULT FALSE,
  route_table_id VARCHAR(32) NULL,
  association_state VARCHAR(16) NULL,
  propagation_enabled BOOLEAN NOT NULL DEFAULT TRUE,
  subnet_ids JSON NOT NULL,
  tags JSON NOT NULL,
  source_system VARCHAR(32) NOT NULL,
  sync_version BIGINT UNSIGNED NOT NULL DEFAULT 1,
  last_synced_at DATETIME(6) NULL,
  created_at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
  updated_at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
  deleted_at DATETIME(6) NULL,
  PRIMARY KEY (id),
  UNIQUE KEY uq_transit_gateway_attachments_attachment_id (attachment_id),
  CONSTRAINT fk_attachments_transit_gateway FOREIGN KEY (transit_gateway_id)
    REFERENCES transit_gateways (id) ON DELETE CASCADE ON UPDATE CASCADE,
  CONSTRAINT fk_attachments_resource_type FOREIGN KEY (resource_type_id)
    REFERENCES enum_network_resource_types (id) ON DELETE SET NULL ON UPDATE CASCADE,
  CONSTRAINT fk_attachments_customer_gateway FOREIGN KEY (customer_gateway_id)
    REFERENCES customer_gateways (id) ON DELETE SET NULL ON UPDATE CASCADE,
  CONSTRAINT fk_attachments_state FOREIGN KEY (state_id)
    REFERENCES enum_attachment_states (id) ON DELETE SET NULL ON UPDATE CASCADE,
  CONSTRAINT ck_attachments_subnets CHECK (JSON_TYPE(subnet_ids) = 'ARRAY')
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci;
