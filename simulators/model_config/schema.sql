CREATE TABLE model_configs (
    config_id TEXT PRIMARY KEY,
    model_id TEXT NOT NULL UNIQUE,
    provider_id TEXT NOT NULL,
    display_name TEXT NOT NULL,
    description TEXT,
    capabilities JSON NOT NULL,
    pricing JSON,
    rate_limits JSON,
    payload_mapping JSON NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('active', 'beta', 'deprecated')),
    created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE INDEX idx_model_configs_model_id ON model_configs (model_id);
CREATE INDEX idx_model_configs_provider_id ON model_configs (provider_id);
CREATE INDEX idx_model_configs_status ON model_configs (status);
CREATE INDEX idx_model_configs_created_at ON model_configs (created_at);
CREATE INDEX idx_model_configs_provider_status ON model_configs (provider_id, status);
CREATE INDEX idx_model_configs_capabilities ON model_configs (capabilities);

CREATE TABLE organizations (
    org_id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE TABLE instances (
    instance_id TEXT PRIMARY KEY,
    org_id TEXT NOT NULL REFERENCES organizations (org_id),
    name TEXT NOT NULL,
    config JSON,
    created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE TABLE users (
    user_id TEXT PRIMARY KEY,
    email TEXT NOT NULL UNIQUE,
    name TEXT,
    role TEXT NOT NULL CHECK (role IN ('user', 'admin', 'superadmin')),
    created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE TABLE user_instance_access (
    user_id TEXT NOT NULL REFERENCES users (user_id),
    instance_id TEXT NOT NULL REFERENCES instances (instance_id),
    PRIMARY KEY (user_id, instance_id)
);
CREATE TABLE projects (
    project_id TEXT PRIMARY KEY,
    instance_id TEXT NOT NULL REFERENCES instances (instance_id),
    name TEXT NOT NULL,
    settings JSON,
    created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE TABLE api_keys (
    key_id TEXT PRIMARY KEY,
    key_hash TEXT NOT NULL UNIQUE,
    user_id TEXT REFERENCES users (user_id),
    project_id TEXT REFERENCES projects (project_id),
    CHECK ((user_id IS NULL) <> (project_id IS NULL))
);
CREATE TABLE usage_logs (
    log_id TEXT PRIMARY KEY,
    instance_id TEXT NOT NULL,
    model_id TEXT,
    created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
);
