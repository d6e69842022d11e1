-- When the gate answered an incident with a halt. Until then nothing is sent, over any restart.
ALTER TABLE incident ADD COLUMN answered INTEGER;
