-- An agent whose token was taken out goes on under another one: what is stored is known by its identity.
ALTER TABLE agent ADD COLUMN claimed_at TIMESTAMP;      -- when it first came with this token
ALTER TABLE agent_spool ADD COLUMN agent VARCHAR;       -- its identity
ALTER TABLE agent_spool ADD COLUMN holes VARCHAR;       -- numbers up to the last that are not stored, as 3-5,9-9
