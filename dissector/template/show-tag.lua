-- What an authenticated mark has besides its records, as a tree: shape, key, window, tag and what the tag is worth.
local tables, protocol = ...
local fields, notices = protocol.fields, protocol.notices

local show_tag = {}

-- Returns the item of the shape octet: something may be wrong with it.
function show_tag.header(tree, tvb, wants)
  if tvb:len() < tables.authenticated_header_octets then return nil end
  local shape, key_and_window = tvb(4, 1), tvb(5, 1)
  local item = tree
  if wants(fields.version) then item = tree:add(fields.version, shape) end
  if wants(fields.more) then tree:add(fields.more, shape) end
  if wants(fields.tagged_count) then tree:add(fields.tagged_count, shape) end
  if wants(fields.clean) then tree:add(fields.clean, shape) end
  if wants(fields.key_id) then tree:add(fields.key_id, key_and_window) end
  if wants(fields.window) then tree:add(fields.window, key_and_window) end
  return item
end

function show_tag.tag(tree, tvb, option, status, wants)
  local range = tvb(tvb:len() - tables.tag_octets, tables.tag_octets)
  if wants(fields.tag) then tree:add(fields.tag, range) end
  if wants(fields.tag_status) then tree:add(fields.tag_status, range, status):set_generated(true) end
  -- Filters and columns look for the number of records in one field, whatever the layout.
  if wants(fields.count) then
    tree:add(fields.count, tvb(4, 1), option.count):set_generated(true):set_hidden(true)
  end
end

-- What a status gives reason to note, if anything: a missing key says nothing of the mark.
function show_tag.notice(status)
  if status == "does not verify" then return notices.tag_invalid end
  if status == "outside window" then return notices.tag_outside_window end
  return nil
end

return show_tag
