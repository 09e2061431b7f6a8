# Made by wrought from a .worker file: gives the worker payload, params, config and iron_task_id, and
# runs its class if it has one.
require 'json'

# A hash that finds a value by its name as string or symbol, at every depth.
class IronWorkerHash < Hash
  def self.wrap(value)
    case value
    when Hash then value.each_with_object(new) { |(key, item), made| made[key] = wrap(item) }
    when Array then value.map { |item| wrap(item) }
    else value
    end
  end

  def self.plain(key)
    key.is_a?(Symbol) ? key.to_s : key
  end

  def [](key)
    super(self.class.plain(key))
  end

  def []=(key, value)
    super(self.class.plain(key), value)
  end

  def fetch(key, *default, &block)
    super(self.class.plain(key), *default, &block)
  end

  def key?(key)
    super(self.class.plain(key))
  end
  alias include? key?
  alias has_key? key?
  alias member? key?

  def values_at(*keys)
    keys.map { |key| self[key] }
  end

  def delete(key)
    super(self.class.plain(key))
  end
end

def self.iron_argument(name)
  at = ARGV.index(name)
  at && ARGV[at + 1]
end

root = File.expand_path(iron_argument('-d') || ENV['TASK_DIR'] || '.')
ENV['GEM_HOME'] = File.join(root, '__gems__')
ENV['GEM_PATH'] = [ENV['GEM_HOME'], ENV['GEM_PATH']].compact.join(':')
Gem.clear_paths if defined?(Gem)
$LOAD_PATH.unshift(root)

payload_file = iron_argument('-payload') || ENV['PAYLOAD_FILE']
config_file = iron_argument('-config') || ENV['CONFIG_FILE']

text = payload_file ? File.read(payload_file, :encoding => 'UTF-8') : ''
config = config_file && File.read(config_file, :encoding => 'UTF-8')
values = { :payload => text, :params => IronWorkerHash.new, :config => config,
           :iron_task_id => iron_argument('-id') || ENV['TASK_ID'] }
begin
  parsed = JSON.parse(text)
  values[:params] = IronWorkerHash.wrap(parsed) if parsed.is_a?(Hash)
rescue JSON::ParserError, EncodingError
  # not JSON: payload has the text itself
end
begin
  values[:config] = IronWorkerHash.wrap(JSON.parse(config)) if config
rescue JSON::ParserError, EncodingError
  # not JSON: the text itself
end
values.each do |name, value|
  Object.send(:define_method, name) { value }
  Object.send(:private, name) # as what is defined at the top is
end

file = File.join(root, @EXEC@)
file.end_with?('.rb') ? require(file) : load(file)

class_name = @CLASS@
if class_name
  worker = class_name.split('::').inject(Object) { |space, name| space.const_get(name) }.new
  params.each do |name, value|
    worker.send("#{name}=", value) if worker.respond_to?("#{name}=")
  end
  worker.run
end
