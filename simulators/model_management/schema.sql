CREATE FUNCTION uuid_generate_v4() RETURNS uuid LANGUAGE sql AS 'SELECT gen_random_uuid()';

CREATE TABLE players (
    id uuid PRIMARY KEY DEFAULT uuid_generate_v4(),
    steam_id varchar(64) NOT NULL UNIQUE,
    username varchar(100) NOT NULL,
    stats jsonb NOT NULL DEFAULT '{}'
);

CREATE TABLE models (
    model_id uuid PRIMARY KEY DEFAULT uuid_generate_v4(),
    model_name varchar(255) NOT NULL,
    model_type varchar(50) NOT NULL,
    provider varchar(100),
    use_case varchar(100) NOT NULL,
    version varchar(50) NOT NULL,
    status varchar(20) NOT NULL DEFAULT 'candidate',
    model_path text,
    configuration jsonb DEFAULT '{}',
    performance_metrics jsonb DEFAULT '{}',
    resource_requirements jsonb DEFAULT '{}',
    created_at timestamp DEFAULT now(),
    updated_at timestamp DEFAULT now(),
    CONSTRAINT models_model_name_version_use_case_key UNIQUE (model_name, version, use_case)
);
CREATE INDEX idx_models_use_case_status ON models (use_case, status);
CREATE INDEX idx_models_type_status ON models (model_type, status);
CREATE INDEX idx_models_provider ON models (provider);

CREATE TABLE model_historical_logs (
    log_id uuid PRIMARY KEY DEFAULT uuid_generate_v4(),
    model_id uuid REFERENCES models ON DELETE CASCADE,
    use_case varchar(100),
    prompt text NOT NULL,
    context jsonb DEFAULT '{}',
    generated_output text NOT NULL,
    user_feedback jsonb,
    corrected_output text,
    performance_metrics jsonb DEFAULT '{}',
    timestamp timestamp DEFAULT now()
);
CREATE INDEX idx_historical_logs_model_time ON model_historical_logs (model_id, timestamp);
CREATE INDEX idx_historical_logs_use_case ON model_historical_logs (use_case);

CREATE TABLE model_snapshots (
    snapshot_id uuid PRIMARY KEY DEFAULT uuid_generate_v4(),
    model_id uuid REFERENCES models ON DELETE CASCADE,
    snapshot_name varchar(255),
    model_state_path text NOT NULL,
    configuration jsonb NOT NULL,
    performance_metrics jsonb,
    traffic_allocation jsonb,
    created_at timestamp DEFAULT now()
);
CREATE INDEX idx_model_snapshots_model_time ON model_snapshots (model_id, created_at);

CREATE TABLE guardrails_violations (
    violation_id uuid PRIMARY KEY DEFAULT uuid_generate_v4(),
    model_id uuid REFERENCES models ON DELETE CASCADE,
    violation_type varchar(50),
    severity varchar(20),
    violation_details jsonb,
    output_sample text,
    intervention_taken varchar(100),
    timestamp timestamp DEFAULT now()
);
CREATE INDEX idx_guardrails_violations_model_time ON guardrails_violations (model_id, timestamp);
CREATE INDEX idx_guardrails_violations_severity ON guardrails_violations (severity);

CREATE TABLE model_deployments (
    deployment_id uuid PRIMARY KEY DEFAULT uuid_generate_v4(),
    model_id uuid REFERENCES models ON DELETE CASCADE,
    deployment_type varchar(50),
    status varchar(20) DEFAULT 'in_progress',
    traffic_percentage int DEFAULT 0,
    start_time timestamp DEFAULT now(),
    completion_time timestamp,
    rollback_reason text
);
CREATE INDEX idx_model_deployments_model_status ON model_deployments (model_id, status);

CREATE TABLE fine_tuning_jobs (
    job_id uuid PRIMARY KEY DEFAULT uuid_generate_v4(),
    model_id uuid REFERENCES models ON DELETE CASCADE,
    base_model_id uuid REFERENCES models ON DELETE CASCADE,
    use_case varchar(100) NOT NULL,
    training_data_source text,
    status varchar(20) DEFAULT 'pending',
    training_configuration jsonb,
    training_metrics jsonb,
    fine_tuned_model_path text,
    started_at timestamp,
    completed_at timestamp,
    created_at timestamp DEFAULT now()
);
CREATE INDEX idx_fine_tuning_jobs_status ON fine_tuning_jobs (status);

CREATE TABLE model_test_results (
    test_id uuid PRIMARY KEY DEFAULT uuid_generate_v4(),
    candidate_model_id uuid REFERENCES models ON DELETE CASCADE,
    current_model_id uuid REFERENCES models ON DELETE CASCADE,
    test_type varchar(50),
    similarity_score float,
    performance_score float,
    safety_passed bool,
    test_details jsonb,
    meets_threshold bool,
    created_at timestamp DEFAULT now()
);
CREATE INDEX idx_model_test_results_candidate ON model_test_results (candidate_model_id);
