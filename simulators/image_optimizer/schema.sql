-- The tables of the contract. {job_status} and {item_status} are `text` as the checklist has it, or the real system's enums.
CREATE TYPE job_status AS ENUM ('PENDING', 'RUNNING', 'DONE', 'FAILED', 'CANCELED');
CREATE TYPE item_status AS ENUM ({labels});

CREATE TABLE plans (id text PRIMARY KEY, name text, price_cents int, monthly_credits int);
INSERT INTO plans VALUES
    ('free', 'Free', 0, 200), ('starter', 'Starter', 900, 1000), ('pro', 'Pro', 2900, 5000), ('scale', 'Scale', 9900, 25000);

CREATE TABLE app_instances (
    instance_id text PRIMARY KEY, site_host text, access_token text NOT NULL, refresh_token text NOT NULL,
    token_expires_at timestamptz NOT NULL, plan_id text DEFAULT 'free' REFERENCES plans, credits_total int DEFAULT 200,
    credits_used_month int DEFAULT 0, credits_reset_on date,
    created_at timestamptz DEFAULT now(), updated_at timestamptz DEFAULT now()
);

CREATE TABLE image_optimization_jobs (
    id bigserial PRIMARY KEY, instance_id text REFERENCES app_instances ON DELETE CASCADE,
    product_id text, product_name text, status {job_status} DEFAULT 'PENDING', total_images int,
    completed_images int DEFAULT 0, failed_images int DEFAULT 0, created_at timestamptz DEFAULT now(),
    started_at timestamptz, finished_at timestamptz, error text
);

CREATE TABLE image_optimization_items (
    id bigserial PRIMARY KEY, job_id bigint REFERENCES image_optimization_jobs ON DELETE CASCADE,
    image_id text, image_url text, prompt text, status {item_status} DEFAULT 'PENDING', replicate_prediction_id text,
    optimized_image_url text, error text,
    created_at timestamptz DEFAULT now(), updated_at timestamptz DEFAULT now()
);

CREATE INDEX idx_image_opt_jobs_instance_status ON image_optimization_jobs (instance_id, status);
CREATE INDEX idx_image_opt_jobs_created_at ON image_optimization_jobs (created_at DESC);
CREATE INDEX idx_image_opt_items_job_id ON image_optimization_items (job_id);
CREATE INDEX idx_image_opt_items_status ON image_optimization_items (status)
    WHERE status IN ('PENDING', 'RUNNING');
