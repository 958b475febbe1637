"""The migrations of the patient simulation, in the style of its deployment.

The names are those that its `pgmigrations` table holds. Some of the columns of its first tables
came with a later migration, and so stand at the end.
"""

from __future__ import annotations

_KEY = "uuid PRIMARY KEY DEFAULT (uuid_generate_v4())"


def _to(table: str, column: str) -> str:
    return f"uuid REFERENCES {table} ({column}) ON DELETE CASCADE ON UPDATE CASCADE"


_SQL = {
    "1704110400000_create_extensions_and_users": f"""
        CREATE EXTENSION IF NOT EXISTS "uuid-ossp";
        CREATE TABLE IF NOT EXISTS "users" (
          "user_id" {_KEY}, "user_email" varchar UNIQUE, "username" varchar,
          "first_name" varchar, "last_name" varchar,
          "time_account_created" timestamptz NOT NULL DEFAULT now(),
          "roles" varchar[], "last_sign_in" timestamptz)""",
    "1704110460000_create_simulation_groups": f"""
        CREATE TABLE IF NOT EXISTS "simulation_groups" (
          "simulation_group_id" {_KEY}, "group_name" varchar, "group_description" varchar,
          "group_access_code" varchar, "group_student_access" bool, "system_prompt" text,
          "empathy_enabled" bool NOT NULL DEFAULT false)""",
    "1704110520000_create_patients": f"""
        CREATE TABLE IF NOT EXISTS "patients" (
          "patient_id" {_KEY},
          "simulation_group_id" {_to("simulation_groups", "simulation_group_id")},
          "patient_name" varchar, "patient_age" integer, "patient_gender" varchar,
          "patient_number" integer, "patient_prompt" text, "llm_completion" bool DEFAULT true)""",
    "1704110580000_create_enrolments": f"""
        CREATE TABLE IF NOT EXISTS "enrolments" (
          "enrolment_id" {_KEY}, "user_id" {_to("users", "user_id")},
          "simulation_group_id" {_to("simulation_groups", "simulation_group_id")},
          "enrolment_type" varchar, "group_completion_percentage" integer,
          "time_enroled" timestamp);
        ALTER TABLE "enrolments" ADD UNIQUE ("simulation_group_id", "user_id")""",
    "1704110640000_create_patient_data": f"""
        CREATE TABLE IF NOT EXISTS "patient_data" (
          "file_id" {_KEY}, "patient_id" {_to("patients", "patient_id")}, "filetype" varchar,
          "s3_bucket_reference" varchar, "filepath" varchar, "filename" varchar,
          "time_uploaded" timestamp, "metadata" text, "file_number" integer,
          "ingestion_status" varchar(20) DEFAULT 'not processing')""",
    "1704110700000_create_student_interactions": f"""
        CREATE TABLE IF NOT EXISTS "student_interactions" (
          "student_interaction_id" {_KEY}, "patient_id" {_to("patients", "patient_id")},
          "enrolment_id" {_to("enrolments", "enrolment_id")}, "patient_score" integer,
          "last_accessed" timestamp, "patient_context_embedding" float[],
          "is_completed" bool DEFAULT false)""",
    "1704110760000_create_sessions": f"""
        CREATE TABLE IF NOT EXISTS "sessions" (
          "session_id" {_KEY},
          "student_interaction_id" {_to("student_interactions", "student_interaction_id")},
          "session_name" varchar, "session_context_embeddings" float[],
          "last_accessed" timestamp, "notes" text)""",
    "1704110820000_create_messages": f"""
        CREATE TABLE IF NOT EXISTS "messages" (
          "message_id" {_KEY}, "session_id" {_to("sessions", "session_id")}, "student_sent" bool,
          "message_content" varchar, "time_sent" timestamp,
          "empathy_evaluation" jsonb DEFAULT '{{}}'::jsonb)""",
    "1704110880000_create_user_engagement_log": f"""
        CREATE TABLE IF NOT EXISTS "user_engagement_log" (
          "log_id" {_KEY}, "user_id" {_to("users", "user_id")},
          "simulation_group_id" {_to("simulation_groups", "simulation_group_id")},
          "patient_id" {_to("patients", "patient_id")},
          "enrolment_id" {_to("enrolments", "enrolment_id")}, "timestamp" timestamp,
          "engagement_type" varchar, "engagement_details" text)""",
    "1704110940000_create_feedback": f"""
        CREATE TABLE IF NOT EXISTS "feedback" (
          "feedback_id" {_KEY}, "session_id" {_to("sessions", "session_id")}, "score" integer,
          "analysis" text, "areas_for_improvement" varchar[],
          "submitted_at" timestamp DEFAULT CURRENT_TIMESTAMP)""",
    "1704111000000_create_system_prompt_history": f"""
        CREATE TABLE IF NOT EXISTS "system_prompt_history" (
          "history_id" {_KEY}, "prompt_content" text NOT NULL,
          "created_at" timestamp DEFAULT CURRENT_TIMESTAMP)""",
}
MIGRATIONS = {f"{name}.js": f"pgm.sql(`{sql}`)" for name, sql in _SQL.items()} | {
    "1704111060000_add_vector_extension.js": (
        "pgm.createExtension('vector', { ifNotExists: true })"
    ),
    "1704111120000_add_voice_toggles.js": """
        pgm.addColumns('simulation_groups', {
          admin_voice_enabled: { type: 'boolean', default: true },
          instructor_voice_enabled: { type: 'boolean', default: true },
        });
        pgm.addColumn('patients', { voice_id: { type: 'varchar', default: 'tiffany' } })""",
    "1704111180000_create_empathy_prompt_history.js": """
        pgm.createTable('empathy_prompt_history', {
          history_id: {
            type: 'uuid', primaryKey: true, default: pgm.func('uuid_generate_v4()'),
          },
          prompt_content: { type: 'text', notNull: true },
          created_at: { type: 'timestamp', default: pgm.func('CURRENT_TIMESTAMP') },
        })""",
}
"""What each does with `pgm`, by its file's name."""
