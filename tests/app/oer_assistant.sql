-- The schema of an existing OER assistant, written by hand: what the models must come to.
-- Tables that others refer to come first.

CREATE EXTENSION "uuid-ossp";
CREATE EXTENSION vector;

CREATE TYPE difficulty AS ENUM ('introductory', 'intermediate', 'advanced');
CREATE TYPE job_status AS ENUM ('pending', 'running', 'failed', 'done', 'canceled');
CREATE TYPE job_type AS ENUM
    ('ingest_textbook', 'embed_chunks', 'transcribe', 'reindex', 'generate_questions');
CREATE TYPE media_type AS ENUM ('pdf', 'audio', 'video', 'image', 'transcript', 'h5p', 'other');
CREATE TYPE prompt_type AS ENUM
    ('RAG', 'quiz_generation', 'mcq_generation', 'audio_generation', 'guided');
CREATE TYPE sender_role AS ENUM ('AI', 'User');
CREATE TYPE session_role AS ENUM ('student', 'instructor');
CREATE TYPE user_role AS ENUM ('student', 'instructor', 'admin');
CREATE TYPE visibility AS ENUM ('private', 'org', 'public');

CREATE TABLE users (
    id uuid NOT NULL DEFAULT uuid_generate_v4(),
    display_name varchar(255),
    email varchar(255),
    role user_role NOT NULL DEFAULT 'admin',
    institution_id varchar(255),
    created_at timestamptz DEFAULT now(),
    updated_at timestamptz DEFAULT now(),
    metadata json DEFAULT '{}',
    CONSTRAINT users_pkey PRIMARY KEY (id),
    CONSTRAINT users_email_key UNIQUE (email)
);

CREATE TABLE user_sessions (
    id uuid NOT NULL DEFAULT uuid_generate_v4(),
    session_title varchar(255),
    context json DEFAULT '{}',
    created_at timestamptz DEFAULT now(),
    last_active_at timestamptz DEFAULT now(),
    expires_at timestamptz,
    metadata json DEFAULT '{}',
    role session_role NOT NULL DEFAULT 'student',
    tokens_used bigint DEFAULT 0,
    updated_at timestamptz DEFAULT now(),
    CONSTRAINT user_sessions_pkey PRIMARY KEY (id)
);

CREATE TABLE textbooks (
    id uuid NOT NULL DEFAULT uuid_generate_v4(),
    title varchar(255) NOT NULL,
    authors varchar[],
    license varchar(255),
    source_url varchar(512),
    publisher varchar(255),
    summary text,
    language varchar(64),
    level varchar(64),
    created_by uuid,
    created_at timestamptz DEFAULT now(),
    updated_at timestamptz DEFAULT now(),
    metadata json DEFAULT '{}',
    publish_date date,
    status varchar(50) NOT NULL DEFAULT 'Disabled',
    textbook_logo_url varchar(255),
    CONSTRAINT textbooks_pkey PRIMARY KEY (id),
    CONSTRAINT textbooks_status_check CHECK (status IN ('Active', 'Disabled', 'Ingesting')),
    CONSTRAINT fk_textbooks_created_by FOREIGN KEY (created_by) REFERENCES users (id)
);

CREATE TABLE sections (
    id uuid NOT NULL DEFAULT uuid_generate_v4(),
    textbook_id uuid,
    parent_section_id uuid,
    title varchar(255),
    order_index integer,
    summary text,
    created_at timestamptz DEFAULT now(),
    source_url varchar(512),
    CONSTRAINT sections_pkey PRIMARY KEY (id),
    CONSTRAINT fk_sections_parent_section_id
        FOREIGN KEY (parent_section_id) REFERENCES sections (id) ON DELETE CASCADE,
    CONSTRAINT fk_sections_textbook_id
        FOREIGN KEY (textbook_id) REFERENCES textbooks (id) ON DELETE CASCADE
);

CREATE TABLE media_items (
    id uuid NOT NULL DEFAULT uuid_generate_v4(),
    textbook_id uuid,
    media_type media_type NOT NULL,
    uri varchar(512) NOT NULL,
    size_bytes bigint,
    mime_type varchar(128),
    description text,
    created_at timestamptz DEFAULT now(),
    source_url varchar(512),
    section_id uuid,
    CONSTRAINT media_items_pkey PRIMARY KEY (id),
    CONSTRAINT fk_media_items_section_id FOREIGN KEY (section_id) REFERENCES sections (id),
    CONSTRAINT fk_media_items_textbook_id
        FOREIGN KEY (textbook_id) REFERENCES textbooks (id) ON DELETE CASCADE
);

CREATE TABLE document_chunks (
    id uuid NOT NULL DEFAULT uuid_generate_v4(),
    textbook_id uuid,
    section_id uuid,
    media_item_id uuid,
    chunk_text text NOT NULL,
    chunk_meta json DEFAULT '{}',
    created_at timestamptz DEFAULT now(),
    CONSTRAINT document_chunks_pkey PRIMARY KEY (id)
);

CREATE TABLE embeddings (
    id uuid NOT NULL DEFAULT uuid_generate_v4(),
    chunk_id uuid,
    model varchar(255),
    vector vector NOT NULL,
    stored_vector_text text,
    created_at timestamptz DEFAULT now(),
    CONSTRAINT embeddings_pkey PRIMARY KEY (id)
);

CREATE TABLE faq_cache (
    id uuid NOT NULL DEFAULT uuid_generate_v4(),
    textbook_id uuid,
    question_text text NOT NULL,
    answer_text text NOT NULL,
    usage_count bigint DEFAULT 0,
    last_used_at timestamptz DEFAULT now(),
    cached_at timestamptz DEFAULT now(),
    metadata json DEFAULT '{}',
    embedding vector,
    reported boolean DEFAULT false,
    sources json DEFAULT '[]',
    CONSTRAINT faq_cache_pkey PRIMARY KEY (id),
    CONSTRAINT fk_faq_cache_textbook_id
        FOREIGN KEY (textbook_id) REFERENCES textbooks (id) ON DELETE CASCADE
);

CREATE TABLE jobs (
    id uuid NOT NULL DEFAULT uuid_generate_v4(),
    textbook_id uuid NOT NULL,
    status job_status NOT NULL DEFAULT 'pending',
    ingested_sections integer DEFAULT 0,
    total_sections integer DEFAULT 0,
    ingested_images integer DEFAULT 0,
    ingested_videos integer DEFAULT 0,
    error_message text,
    started_at timestamptz,
    completed_at timestamptz,
    created_at timestamptz DEFAULT now(),
    updated_at timestamptz DEFAULT now(),
    metadata json DEFAULT '{}',
    CONSTRAINT jobs_pkey PRIMARY KEY (id),
    CONSTRAINT fk_jobs_textbook_id
        FOREIGN KEY (textbook_id) REFERENCES textbooks (id) ON DELETE CASCADE
);

CREATE INDEX idx_jobs_created_at ON jobs (created_at DESC);
CREATE INDEX idx_jobs_status ON jobs (status);
CREATE INDEX idx_jobs_textbook_id ON jobs (textbook_id);

CREATE TABLE prompt_templates (
    id uuid NOT NULL DEFAULT uuid_generate_v4(),
    name varchar(255) NOT NULL,
    description text,
    type prompt_type NOT NULL,
    current_version_id integer,
    created_by uuid,
    visibility visibility NOT NULL DEFAULT 'private',
    metadata json DEFAULT '{}',
    created_at timestamptz DEFAULT now(),
    updated_at timestamptz DEFAULT now(),
    CONSTRAINT prompt_templates_pkey PRIMARY KEY (id),
    CONSTRAINT fk_prompt_templates_created_by FOREIGN KEY (created_by) REFERENCES users (id)
);

CREATE TABLE guided_prompt_questions (
    id uuid NOT NULL DEFAULT uuid_generate_v4(),
    prompt_template_id uuid NOT NULL,
    question_text text NOT NULL,
    order_index integer NOT NULL,
    created_at timestamptz DEFAULT now(),
    CONSTRAINT guided_prompt_questions_pkey PRIMARY KEY (id),
    CONSTRAINT guided_prompt_questions_prompt_template_id_fkey
        FOREIGN KEY (prompt_template_id) REFERENCES prompt_templates (id) ON DELETE CASCADE
);

CREATE INDEX idx_guided_questions_template
    ON guided_prompt_questions (prompt_template_id, order_index);

CREATE TABLE shared_user_prompts (
    id uuid NOT NULL DEFAULT uuid_generate_v4(),
    title varchar(255),
    prompt_text text NOT NULL,
    owner_session_id uuid,
    owner_user_id uuid,
    textbook_id uuid,
    visibility visibility NOT NULL DEFAULT 'public',
    tags varchar[],
    created_at timestamptz DEFAULT now(),
    updated_at timestamptz DEFAULT now(),
    metadata json DEFAULT '{}',
    role varchar(20),
    reported boolean DEFAULT false,
    CONSTRAINT shared_user_prompts_pkey PRIMARY KEY (id),
    CONSTRAINT fk_shared_user_prompts_owner_session_id
        FOREIGN KEY (owner_session_id) REFERENCES user_sessions (id),
    CONSTRAINT fk_shared_user_prompts_owner_user_id
        FOREIGN KEY (owner_user_id) REFERENCES users (id)
);

CREATE TABLE chat_sessions (
    id uuid NOT NULL DEFAULT uuid_generate_v4(),
    user_session_id uuid NOT NULL,
    textbook_id uuid,
    context json DEFAULT '{}',
    created_at timestamptz DEFAULT now(),
    metadata json DEFAULT '{}',
    name varchar(55),
    CONSTRAINT chat_sessions_pkey PRIMARY KEY (id),
    CONSTRAINT fk_chat_sessions_textbook_id
        FOREIGN KEY (textbook_id) REFERENCES textbooks (id) ON DELETE CASCADE,
    CONSTRAINT fk_chat_sessions_user_session_id
        FOREIGN KEY (user_session_id) REFERENCES user_sessions (id)
);

CREATE INDEX idx_chat_sessions_user_session_id ON chat_sessions (user_session_id);

CREATE TABLE user_interactions (
    id uuid NOT NULL DEFAULT uuid_generate_v4(),
    sender_role sender_role NOT NULL,
    query_text text,
    response_text text,
    message_meta json DEFAULT '{}',
    source_chunks json DEFAULT '[]',
    created_at timestamptz DEFAULT now(),
    order_index integer,
    chat_session_id uuid,
    CONSTRAINT user_interactions_pkey PRIMARY KEY (id),
    CONSTRAINT fk_user_interactions_chat_session_id
        FOREIGN KEY (chat_session_id) REFERENCES chat_sessions (id)
);

CREATE INDEX idx_user_interactions_chat_session_id ON user_interactions (chat_session_id);

CREATE TABLE analytics_events (
    id uuid NOT NULL DEFAULT uuid_generate_v4(),
    user_session_id uuid,
    event_type varchar(128) NOT NULL,
    properties json DEFAULT '{}',
    created_at timestamptz DEFAULT now(),
    CONSTRAINT analytics_events_pkey PRIMARY KEY (id),
    CONSTRAINT fk_analytics_events_user_session_id
        FOREIGN KEY (user_session_id) REFERENCES user_sessions (id)
);

CREATE INDEX idx_analytics_events_user_session_id ON analytics_events (user_session_id);

CREATE TABLE practice_material_analytics (
    id uuid NOT NULL DEFAULT uuid_generate_v4(),
    textbook_id uuid NOT NULL,
    user_session_id uuid,
    material_type varchar(50) NOT NULL,
    topic text,
    num_items integer,
    difficulty varchar(20) NOT NULL,
    metadata jsonb,
    created_at timestamptz DEFAULT now(),
    CONSTRAINT practice_material_analytics_pkey PRIMARY KEY (id),
    CONSTRAINT fk_practice_material_analytics_textbook_id
        FOREIGN KEY (textbook_id) REFERENCES textbooks (id) ON DELETE CASCADE,
    CONSTRAINT fk_practice_material_analytics_user_session_id
        FOREIGN KEY (user_session_id) REFERENCES user_sessions (id) ON DELETE SET NULL
);

CREATE INDEX idx_practice_material_analytics_textbook_created
    ON practice_material_analytics (textbook_id, created_at DESC);
CREATE INDEX idx_practice_material_analytics_type_created
    ON practice_material_analytics (material_type, created_at DESC);
CREATE INDEX idx_practice_material_analytics_user_session
    ON practice_material_analytics (user_session_id) WHERE user_session_id IS NOT NULL;

COMMENT ON TABLE practice_material_analytics IS
    'Tracks practice material generation for analytics and reporting';
COMMENT ON COLUMN practice_material_analytics.material_type IS
    'Type of practice material: mcq, flashcards, shortAnswer';
COMMENT ON COLUMN practice_material_analytics.topic IS
    'User-provided topic or subject for the practice material';
COMMENT ON COLUMN practice_material_analytics.num_items IS
    'Number of questions or cards generated';
COMMENT ON COLUMN practice_material_analytics.difficulty IS
    'Difficulty level: beginner, intermediate, advanced';
COMMENT ON COLUMN practice_material_analytics.metadata IS
    'Additional type-specific details (numOptions, cardType, etc.)';

CREATE TABLE system_settings (
    key text NOT NULL,
    value text NOT NULL,
    updated_at timestamptz DEFAULT now(),
    CONSTRAINT system_settings_pkey PRIMARY KEY (key)
);
