-- In the packet list, a marked packet's context menu leads to its host in the dashboard (Wireshark 4.4 and later).
local preferences = ...

local menu = {}

-- An address in a URL: nothing but digits, letters, dots and colons, whatever Wireshark says.
function menu.url_of(dashboard, address)
  local base = dashboard:match("^%s*(https?://[^%s]-)/*%s*$")
  if not base or not address:match("^[%x.:]+$") then return nil end
  return base .. "/hosts/" .. address
end

local function open_host(field_name)
  return function(...)
    for _, field in ipairs({ ... }) do
      if field.name == field_name then
        local url = menu.url_of(tostring(preferences.dashboard), field.label)
        if url then browser_open_url(url) end
        return
      end
    end
  end
end

if gui_enabled and gui_enabled() and register_packet_menu and browser_open_url then
  -- A packet's menu shows an entry if it has the field: one of the two.
  register_packet_menu("Tattle/Open host in dashboard", open_host("tattle.host"), "tattle.host")
  register_packet_menu("Tattle/Open IPv6 host in dashboard", open_host("tattle.host6"), "tattle.host6")
end

return menu
