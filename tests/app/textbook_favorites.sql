-- What node-pg-migrate's createTable and createIndex emit for the guide's worked example:
-- PostgreSQL names the key and the foreign keys, node-pg-migrate the indexes.

CREATE TABLE textbook_favorites (
    id uuid DEFAULT uuid_generate_v4() PRIMARY KEY,
    user_session_id uuid NOT NULL REFERENCES user_sessions (id) ON DELETE CASCADE,
    textbook_id uuid NOT NULL REFERENCES textbooks (id) ON DELETE CASCADE,
    created_at timestamp DEFAULT now()
);

CREATE INDEX textbook_favorites_user_session_id_index ON textbook_favorites (user_session_id);
CREATE INDEX textbook_favorites_textbook_id_index ON textbook_favorites (textbook_id);
