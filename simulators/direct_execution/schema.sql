CREATE ROLE anon NOLOGIN;
CREATE ROLE authenticated NOLOGIN;
CREATE ROLE service_role NOLOGIN BYPASSRLS;

CREATE SCHEMA auth;
CREATE TABLE auth.users (
    id uuid PRIMARY KEY,
    email text NOT NULL UNIQUE,
    password_hash text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE FUNCTION auth.uid() RETURNS uuid LANGUAGE sql STABLE AS
$$ SELECT nullif(current_setting('request.jwt.claim.sub', true), '')::uuid $$;

CREATE TYPE user_plan AS ENUM ('freemium', 'basic', 'pro', 'enterprise');
CREATE TABLE profiles (
    id uuid PRIMARY KEY REFERENCES auth.users (id) ON DELETE CASCADE,
    email text,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE user_roles (
    user_id uuid NOT NULL REFERENCES profiles (id) ON DELETE CASCADE,
    role text NOT NULL CHECK (role IN ('admin', 'user')),
    PRIMARY KEY (user_id, role)
);
CREATE FUNCTION is_admin() RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public AS
$$ SELECT EXISTS (SELECT FROM user_roles WHERE user_id = auth.uid() AND role = 'admin') $$;

CREATE TABLE user_subscriptions (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id uuid NOT NULL UNIQUE REFERENCES profiles (id) ON DELETE CASCADE,
    plan user_plan NOT NULL DEFAULT 'freemium',
    tokens_remaining numeric NOT NULL DEFAULT 5,
    tokens_total numeric NOT NULL DEFAULT 5,
    status text NOT NULL DEFAULT 'active',
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE generations (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id uuid NOT NULL REFERENCES profiles (id) ON DELETE CASCADE,
    type text NOT NULL CHECK (type IN ('image', 'video', 'text', 'audio')),
    prompt text NOT NULL,
    tokens_used numeric NOT NULL,
    tokens_charged numeric DEFAULT 0,
    actual_token_cost numeric,
    output_url text,
    settings jsonb,
    status text NOT NULL DEFAULT 'pending',
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    completed_at timestamptz,
    model_id text,
    model_record_id uuid,
    template_id text,
    original_prompt text,
    enhanced_prompt text,
    enhancement_provider text,
    provider_request jsonb,
    provider_response jsonb,
    provider_task_id text,
    storage_path text,
    file_size_bytes bigint,
    parent_generation_id uuid REFERENCES generations (id),
    output_index int DEFAULT 0,
    is_batch_output boolean DEFAULT false,
    ai_caption text,
    ai_hashtags text[],
    caption_generated_at timestamptz,
    workflow_execution_id uuid,
    workflow_step_number int
);
CREATE INDEX idx_generations_status ON generations (status);
CREATE INDEX idx_generations_user_created ON generations (user_id, created_at DESC);
CREATE INDEX idx_generations_created ON generations (created_at);
CREATE INDEX idx_generations_polling ON generations (provider_task_id);

CREATE VIEW user_available_credits WITH (security_invoker = true) AS
SELECT s.user_id, s.tokens_remaining AS total_credits, coalesce(r.reserved, 0) AS reserved_credits,
    s.tokens_remaining - coalesce(r.reserved, 0) AS available_credits
FROM user_subscriptions s
LEFT JOIN (
    SELECT user_id, sum(tokens_used - tokens_charged) AS reserved FROM generations
    WHERE status IN ('pending', 'processing') GROUP BY user_id
) r USING (user_id);

CREATE TABLE rate_limit_tiers (
    tier text PRIMARY KEY,
    max_generations_per_hour int NOT NULL,
    max_concurrent_generations int NOT NULL
);
INSERT INTO rate_limit_tiers VALUES ('freemium', 10, 1), ('basic', 50, 3), ('pro', 200, 10), ('enterprise', 1000, 50);
CREATE TABLE webhook_events (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    idempotency_key text NOT NULL UNIQUE,
    event_type text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE audit_logs (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id uuid,
    action text NOT NULL,
    metadata jsonb,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE app_settings (
    setting_key text PRIMARY KEY,
    setting_value jsonb NOT NULL
);
INSERT INTO app_settings VALUES ('model_visibility', '{"visible": {}, "deactivated": {}}');

CREATE FUNCTION handle_new_user() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
BEGIN
    INSERT INTO profiles (id, email) VALUES (new.id, new.email);
    INSERT INTO user_subscriptions (user_id) VALUES (new.id);
    RETURN new;
END $$;
CREATE TRIGGER on_auth_user_created AFTER INSERT ON auth.users FOR EACH ROW EXECUTE FUNCTION handle_new_user();

CREATE FUNCTION generation_complete() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('generation_complete', new.id::text);
    RETURN new;
END $$;
CREATE TRIGGER generation_complete_trigger AFTER UPDATE ON generations FOR EACH ROW
WHEN (new.status = 'completed' AND old.status <> 'completed') EXECUTE FUNCTION generation_complete();

CREATE FUNCTION increment_tokens(user_id_param uuid, amount numeric) RETURNS numeric
LANGUAGE sql SECURITY DEFINER SET search_path = public AS $$
    UPDATE user_subscriptions SET tokens_remaining = greatest(0, tokens_remaining + amount)
    WHERE user_id = user_id_param AND abs(amount) <= 100000 RETURNING tokens_remaining
$$;

GRANT USAGE ON SCHEMA public, auth TO anon, authenticated, service_role;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO anon, authenticated, service_role;
REVOKE ALL ON rate_limit_tiers, webhook_events, audit_logs, user_roles FROM anon, authenticated;
REVOKE EXECUTE ON FUNCTION increment_tokens FROM public;
GRANT EXECUTE ON FUNCTION increment_tokens TO service_role;

ALTER TABLE generations ENABLE ROW LEVEL SECURITY;
ALTER TABLE user_subscriptions ENABLE ROW LEVEL SECURITY;
ALTER TABLE profiles ENABLE ROW LEVEL SECURITY;
ALTER TABLE app_settings ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON generations TO authenticated USING (auth.uid() = user_id) WITH CHECK (auth.uid() = user_id);
CREATE POLICY admin_rows ON generations TO authenticated USING (is_admin()) WITH CHECK (is_admin());
CREATE POLICY own_subscription ON user_subscriptions FOR SELECT TO authenticated USING (auth.uid() = user_id);
CREATE POLICY own_changes ON user_subscriptions FOR UPDATE TO authenticated USING (auth.uid() = user_id);
CREATE FUNCTION credits_are_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('role') = 'authenticated' AND new.tokens_remaining <> old.tokens_remaining THEN
        RAISE insufficient_privilege USING MESSAGE = 'credits are not changed by their owner';
    END IF;
    RETURN new;
END $$;
CREATE TRIGGER credits_are_kept BEFORE UPDATE ON user_subscriptions FOR EACH ROW EXECUTE FUNCTION credits_are_kept();
CREATE POLICY own_profile ON profiles FOR SELECT TO authenticated USING (auth.uid() = id);
CREATE POLICY settings_are_public ON app_settings FOR SELECT TO anon, authenticated USING (true);
